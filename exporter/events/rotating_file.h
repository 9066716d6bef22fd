#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/unique_fd.h"
#include "exporter/events/line_sink.h"

namespace sched_exporter {

/// A file of whole lines that is bounded in size. Before a line would take it past `max_bytes`,
/// `path` becomes `path`.1, which becomes `path`.2, and so on. Made for its owner's eyes only. One
/// process at a time may write it.
class RotatingFile : public LineSink {
 public:
  struct Settings {
    std::string path;
    std::uint64_t max_bytes = 0;  ///< 0: no bound. One line may be longer.
    std::uint32_t keep = 0;       ///< Old files; with 0 the file is emptied instead.
  };

  /// Opens the file and goes on at its end; half a line, as a crash may leave it, is removed. Fails
  /// where it is a link or no regular file.
  static Result<std::unique_ptr<RotatingFile>> Open(const Settings& settings);

  /// After a failure nothing of the line is in the file, and the next call tries again all that it
  /// takes. Reopens a file that somebody has deleted.
  Result<void> Write(std::string_view line, const GiveUp& give_up) override;
  bool IsOver() const override { return false; }

 private:
  explicit RotatingFile(Settings settings) : settings_(std::move(settings)) {}

  Result<void> Reopen(int more_flags);
  bool IsAtItsPlace() const;
  Result<off_t> FindEnd();
  Result<void> Rotate();
  Result<void> ShiftOldFiles();
  Result<void> Append(std::string_view line, off_t end);
  std::string OldPath(std::uint32_t age) const;
  tl::unexpected<Error> Failed(const std::string& what, int error) const;

  Settings settings_;
  UniqueFd fd_;
  std::optional<off_t> torn_at_;  ///< Where half a line begins that could not be removed.
};

}  // namespace sched_exporter
