#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"

namespace sched_exporter::test_support {

/// A cgroup in which only so many processes can be, in v2 or in v1's controller `pids`, with the
/// weight that a container has in Kubernetes which asks for a tenth of a CPU.
class PidsLimit {
 public:
  PidsLimit(const std::string& name, int most);

  /// False where this host has no such controller.
  bool is_there() const { return !cgroups_.empty(); }

  /// Moves the calling process into it.
  bool Enter() const;

  /// Kills all that are in it, and those that they start meanwhile.
  void KillAll() const;

 private:
  std::vector<std::unique_ptr<TestCgroup>> cgroups_;  ///< That with the limit first.
};

}  // namespace sched_exporter::test_support
