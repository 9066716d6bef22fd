#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/exporter.h"

namespace sched_exporter::test_support {

/// A program started by a shell command; killed with all that it started.
class Running {
 public:
  explicit Running(const std::string& command);
  ~Running() { Stop(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void Stop();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// An exporter with a config; a test failure and null where it doesn't start.
std::unique_ptr<Exporter> StartWith(const std::string& config,
                                    const std::vector<std::string>& arguments = {});

/// Living processes of each group; none that has 0, and without `other`.
std::map<std::string, int> ProcessesOf(const Exporter& exporter);

}  // namespace sched_exporter::test_support
