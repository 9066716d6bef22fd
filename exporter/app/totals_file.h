#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {

/// A file that a process leaves to the next one, and the right to be the only one that writes it.
/// It is replaced as a whole: a sudden end leaves the former one. Whoever crashes with the whole
/// machine leaves nothing that matters, since what it tells of is gone, too; so nothing waits for a
/// disk.
class TotalsFile {
 public:
  /// Makes the directory, for nobody but this user, and takes the lock in it. Fails with one line
  /// where another process has that, or the directory is not to be written.
  static Result<TotalsFile> Open(const std::string& directory);

  /// Replaces the content. `instance` tells what it goes with.
  Result<void> Write(std::uint64_t instance, std::string_view content) const;

  /// The content, if it was written for `instance`, by a version with the same form, and is whole.
  Result<std::string> Read(std::uint64_t instance) const;

  /// False where there was none.
  bool Remove() const;

 private:
  TotalsFile(std::string path, UniqueFd directory, UniqueFd lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string path_;    ///< Of the file, for messages.
  UniqueFd directory_;  ///< Files are reached through it, whatever becomes of the path.
  UniqueFd lock_;
};

}  // namespace sched_exporter
