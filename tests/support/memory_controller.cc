#include "tests/support/memory_controller.h"

#include <unistd.h>

#include <fstream>

namespace sched_exporter::test_support {

std::vector<MemoryController> MemoryControllers() {
  std::vector<MemoryController> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string device;
  std::string directory;
  std::string type;
  std::string rest;
  while (mounts >> device >> directory >> type && std::getline(mounts, rest)) {
    std::string enabled;
    std::getline(std::ifstream(directory + "/cgroup.controllers"), enabled);
    if (type == "cgroup2" && (" " + enabled + " ").find(" memory ") != std::string::npos) {
      std::ofstream(directory + "/cgroup.subtree_control") << "+memory";
      found.push_back({{"v2", directory}, "memory.max", "memory.events"});
    } else if (type == "cgroup" && directory.ends_with("/memory")) {
      found.push_back({{"memory", directory}, "memory.limit_in_bytes", "memory.oom_control"});
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
