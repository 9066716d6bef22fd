#include "tests/support/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace sched_exporter::test_support {

std::vector<CgroupHost> TestableHierarchies() {
  std::vector<CgroupHost> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  // A hierarchy may be mounted more than once; the first is the host's own place for it.
  const auto add = [&](const std::string& hierarchy, const std::string& directory) {
    for (const CgroupHost& host : found) {
      if (host.hierarchy == hierarchy) {
        return;
      }
    }
    found.push_back({hierarchy, directory});
  };
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string device;
    std::string directory;
    std::string type;
    std::string options;
    fields >> device >> directory >> type >> options;
    if (type == "cgroup2") {
      add("v2", directory);
    } else if (type == "cgroup" && ("," + options + ",").find(",cpuacct,") != std::string::npos) {
      add("cpuacct", directory);
    }
  }
  return found;
}

TestCgroup::TestCgroup(const CgroupHost& host, const std::string& name)
    : host_(host),
      label_("/sched_exporter_test_" + name + "_" + std::to_string(getpid())),
      directory_(host.mount_point + label_) {
  mkdir(directory_.c_str(), 0755);
}

TestCgroup::~TestCgroup() {
  // A process that was just reaped may hold its cgroup for a moment.
  for (int i = 0; i < 100 && rmdir(directory_.c_str()) != 0; ++i) {
    usleep(10'000);
  }
}

bool TestCgroup::Add(pid_t pid) const {
  std::ofstream file(directory_ + "/cgroup.procs");
  file << pid << std::flush;
  return file.good();
}

std::uint64_t TestCgroup::UsageNs() const {
  if (host_.hierarchy != "v2") {
    std::uint64_t usage = 0;
    std::ifstream(directory_ + "/cpuacct.usage") >> usage;
    return usage;
  }
  std::ifstream file(directory_ + "/cpu.stat");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "usage_usec") {
      return value * 1000;
    }
  }
  return 0;
}

}  // namespace sched_exporter::test_support
