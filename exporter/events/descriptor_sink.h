#pragma once

#include <string>
#include <string_view>

#include "exporter/base/unique_fd.h"
#include "exporter/events/line_sink.h"

namespace sched_exporter {

/// Writes lines to a descriptor that others may share: a pipe, a socket, a terminal or a file.
/// Waits for a reader that doesn't read, but never inside a system call. Its thread has to block
/// SIGPIPE.
class DescriptorSink : public LineSink {
 public:
  /// `fd` must stay open as long as this is. `name` is for messages, e.g. "standard output".
  DescriptorSink(int fd, std::string name);

  Result<void> Write(std::string_view line, const GiveUp& give_up) override;
  bool IsOver() const override { return is_over_; }

 private:
  Result<void> WriteAll(std::string_view& bytes, const GiveUp& give_up);

  std::string name_;
  UniqueFd own_;  ///< The same pipe or terminal, opened anew.
  int fd_;
  bool is_socket_ = false;
  bool is_over_ = false;
  std::string rest_;  ///< Of a line that was cut.
};

}  // namespace sched_exporter
