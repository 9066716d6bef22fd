#pragma once

#include <string>

#include "bpf/abi.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {

/// The directory in a BPF file system where programs, links and maps stay while no exporter runs.
/// What belongs together is made in a directory of its own and gets its name when it is complete,
/// so that a sudden end leaves all of it or nothing that counts.
class Pins {
 public:
  /// Makes the directory, and mounts a BPF file system at /sys/fs/bpf if it is to be there and none
  /// is. Fails with one line: another file system, no permission.
  static Result<Pins> Open(const std::string& directory);

  /// What an exporter left here, if it did; else `layout` is all zeros. A layout that this version
  /// doesn't know has only its first two fields.
  abi_layout ReadLayout() const;

  /// The path of a thing that is complete. Dots, which the file system keeps to itself, become
  /// underlines.
  std::string PathOf(const std::string& name) const { return Path("current", name); }

  /// To pin anew: empties the place, and then `name` goes to the path that this returns.
  Result<void> Begin() const;
  std::string NewPathOf(const std::string& name) const { return Path("new", name); }

  /// All is there: describes it with `layout`, and puts it in the place of what was there before.
  Result<void> Complete(const abi_layout& layout) const;

  /// Removes all that an exporter pins, and the directory. False where there was nothing.
  bool Remove() const;

  const std::string& directory() const { return directory_; }

 private:
  explicit Pins(std::string directory) : directory_(std::move(directory)) {}
  std::string Path(const std::string& part, const std::string& name) const;
  Result<void> PinLayout(const abi_layout& layout) const;

  std::string directory_;
};

}  // namespace sched_exporter
