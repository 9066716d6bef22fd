#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// One of Debian's libbpf-tools that prints a line for each event, over the whole host. It runs in
/// a mount namespace of its own, in which tracefs is mounted.
class Snoop {
 public:
  /// Waits until it has printed its heading, which it does when it is attached.
  static Result<std::unique_ptr<Snoop>> Start(const std::vector<std::string>& command);
  ~Snoop();
  Snoop(const Snoop&) = delete;
  Snoop& operator=(const Snoop&) = delete;

  /// Ends it and returns the lines after the heading.
  std::vector<std::string> End();

 private:
  Snoop() = default;

  std::string Output() const;

  TempDirectory directory_;
  pid_t pid_ = -1;
};

}  // namespace sched_exporter::test_support
