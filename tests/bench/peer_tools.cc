#include "tests/bench/peer_tools.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "tests/support/argv.h"
#include "tests/support/bpf_objects.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

constexpr char kOnCpu[] = R"(tracepoint:sched:sched_switch {
  $start = @start[args->prev_pid];
  if ($start) { @us = hist((nsecs - $start) / 1000); }
  delete(@start[args->prev_pid]);
  @start[args->next_pid] = nsecs;
})";

/// runqlat.bt of bpftrace's own tools.
constexpr char kRunQueue[] = R"(
tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @queued[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
  if (args->prev_state == 0) { @queued[args->prev_pid] = nsecs; }
  $queued = @queued[args->next_pid];
  if ($queued) { @us = hist((nsecs - $queued) / 1000); }
  delete(@queued[args->next_pid]);
})";

/// In a mount namespace of its own: bpftrace wants tracefs at its usual place.
bool Become(const PeerCommand& command) {
  if (unshare(CLONE_NEWNS) == 0 &&
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
  }
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, 1);
  dup2(null, 2);
  std::vector<std::string> words = command.words;
  execvp(words[0].c_str(), Argv(words).data());
  return false;
}

}  // namespace

const std::vector<PeerCommand>& PeerCommands() {
  static const std::vector<PeerCommand> kCommands = {
      {"bpftrace, time on CPU", "bpftrace_oncpu", {"bpftrace", "-e", kOnCpu}},
      {"bpftrace, run queue", "bpftrace_runq", {"bpftrace", "-e", kRunQueue}},
      {"cpudist", "cpudist", {"cpudist"}},
      {"runqlat", "runqlat", {"runqlat"}}};
  return kCommands;
}

Result<std::unique_ptr<PeerTool>> PeerTool::Start(const PeerCommand& command) {
  std::unique_ptr<PeerTool> tool(new PeerTool(Fork([&] { return Become(command); })));
  // They are loaded one after the other, and attached at once after that.
  constexpr unsigned kAttach_us = 300'000;
  std::set<std::uint32_t> programs;
  const bool attached = WaitUntil([&] {
    programs = HeldBpfObjects(tool->pid_).programs;
    if (!programs.empty()) {
      usleep(kAttach_us);
    }
    return !programs.empty() && HeldBpfObjects(tool->pid_).programs == programs;
  });
  if (!attached) {
    return Fail(command.words[0] + " (" + command.name + ") has no BPF programs after a minute");
  }
  for (const std::uint32_t id : programs) {
    tool->program_fds_.push_back(bpf_prog_get_fd_by_id(id));
  }
  return tool;
}

PeerTool::~PeerTool() {
  for (const int fd : program_fds_) {
    close(fd);
  }
  kill(pid_, SIGKILL);
  Wait(pid_);
}

ProgramCost ReadProgramCost(const std::vector<int>& program_fds) {
  ProgramCost sum;
  for (const int fd : program_fds) {
    bpf_prog_info info{};
    std::uint32_t length = sizeof(info);
    bpf_obj_get_info_by_fd(fd, &info, &length);
    sum.runs += static_cast<double>(info.run_cnt);
    sum.ns += static_cast<double>(info.run_time_ns);
  }
  return sum;
}

}  // namespace sched_exporter::test_support
