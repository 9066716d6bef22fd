#include "tests/support/pids_limit.h"

#include <algorithm>
#include <csignal>
#include <fstream>

#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {

PidsLimit::PidsLimit(const std::string& name, int most) {
  const auto pids = HierarchiesWith("pids");
  if (pids.empty()) {
    return;
  }
  cgroups_.push_back(std::make_unique<TestCgroup>(pids.front(), name));
  std::ofstream(cgroups_.front()->directory() + "/pids.max") << most << std::flush;
  for (const CgroupHost& cpu : HierarchiesWith("cpu")) {
    if (cpu.mount_point != pids.front().mount_point) {
      cgroups_.push_back(std::make_unique<TestCgroup>(cpu, name));
    }
    std::ofstream(cgroups_.back()->directory() + "/cpu.shares") << 102 << std::flush;
    std::ofstream(cgroups_.back()->directory() + "/cpu.weight") << 4 << std::flush;
  }
}

bool PidsLimit::Enter() const {
  return std::all_of(cgroups_.begin(), cgroups_.end(),
                     [](const auto& cgroup) { return cgroup->Add(0); });
}

void PidsLimit::KillAll() const {
  // No more are started than were there: the limit is lower than what is there.
  std::ofstream(cgroups_.front()->directory() + "/pids.max") << 0 << std::flush;
  WaitUntil([&] {
    std::ifstream processes(cgroups_.front()->directory() + "/cgroup.procs");
    bool is_empty = true;
    for (pid_t pid = 0; processes >> pid;) {
      is_empty = false;
      kill(pid, SIGKILL);
    }
    return is_empty;
  });
}

}  // namespace sched_exporter::test_support
