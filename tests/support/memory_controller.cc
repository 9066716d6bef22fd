#include "tests/support/memory_controller.h"

#include <unistd.h>

#include <fstream>

namespace sched_exporter::test_support {

std::vector<MemoryController> MemoryControllers() {
  std::vector<MemoryController> found;
  for (const CgroupHost& host : HierarchiesWith("memory")) {
    if (host.hierarchy == "v2") {
      found.push_back({host, "memory.max", "memory.events"});
    } else {
      found.push_back({host, "memory.limit_in_bytes", "memory.oom_control"});
    }
  }
  return found;
}

void LimitMemory(const MemoryController& controller, const std::string& directory,
                 std::uint64_t bytes) {
  std::ofstream(directory + "/" + controller.limit) << bytes << std::flush;
  const std::string swap = directory + "/memory.swap.max";
  if (access(swap.c_str(), W_OK) == 0) {
    std::ofstream(swap) << 0 << std::flush;
  }
}

std::uint64_t OomKills(const std::string& file) {
  std::ifstream events(file);
  std::string name;
  std::uint64_t value = 0;
  while (events >> name >> value && name != "oom_kill") {
  }
  return events ? value : 0;
}

}  // namespace sched_exporter::test_support
