#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"

namespace sched_exporter::test_support {

/// The files with which this host limits memory.
struct MemoryController {
  CgroupHost host;
  std::string limit;
  std::string events;  ///< Has a line "oom_kill N".
};

/// v2's where it has the controller, else v1's; a host without either can't test OOM kills.
std::vector<MemoryController> MemoryControllers();

/// Limits the memory of a cgroup, swap included where the kernel counts it.
void LimitMemory(const MemoryController& controller, const std::string& directory,
                 std::uint64_t bytes);

/// The kernel's own count in the file `events` of a cgroup.
std::uint64_t OomKills(const std::string& file);

}  // namespace sched_exporter::test_support
