// Cost of one run of the program on sched_switch, by the kernel's own run_time_ns / run_cnt, beside
// an empty program that is attached at the same time. Budgets: 25 ns net with hot caches (two tasks
// that play ping-pong), 350 ns net with cold ones (400 tasks that pass tokens round).
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "empty.skel.h"
#include "exporter/kernel/programs.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

struct Cost {
  double runs = 0;
  double ns = 0;
};

Cost Read(int fd) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  bpf_obj_get_info_by_fd(fd, &info, &length);
  return {static_cast<double>(info.run_cnt), static_cast<double>(info.run_time_ns)};
}

Cost ReadHook(const Programs& programs) {
  for (const ProgramStats& stats : programs.ReadProgramStats()) {
    if (stats.name == "on_switch") {
      return {static_cast<double>(stats.runs), static_cast<double>(stats.run_ns)};
    }
  }
  return {};
}

double PerRun(const Cost& before, const Cost& after) {
  return (after.ns - before.ns) / (after.runs - before.runs);
}

/// A ring of processes that pass tokens on, so that no cache keeps them all.
pid_t TokenRing(int members, int tokens, const Gate& end) {
  return Fork([=, &end] {
    std::vector<int> read_ends(static_cast<std::size_t>(members));
    std::vector<int> write_ends(static_cast<std::size_t>(members));
    for (std::size_t i = 0; i < read_ends.size(); ++i) {
      int fds[2];
      if (pipe(fds) != 0) {
        return false;
      }
      read_ends[i] = fds[0];
      write_ends[(i + read_ends.size() - 1) % read_ends.size()] = fds[1];
    }
    std::vector<pid_t> children;
    for (std::size_t i = 0; i < read_ends.size(); ++i) {
      children.push_back(Fork([&, i] {
        char byte = 0;
        while (end.step() == 0 && read(read_ends[i], &byte, 1) == 1 &&
               write(write_ends[i], &byte, 1) == 1) {
        }
        return true;
      }));
    }
    for (int i = 0; i < tokens; ++i) {
      const std::size_t at = static_cast<std::size_t>(i * (members / tokens));
      if (write(write_ends[at], "x", 1) != 1) {
        return false;
      }
    }
    end.WaitFor();
    for (const pid_t child : children) {
      kill(child, SIGKILL);
      Wait(child);
    }
    return true;
  });
}

void Measure(const char* load, const Programs& programs, int empty_fd) {
  sleep(1);
  for (int i = 0; i < 5; ++i) {
    const Cost floor_before = Read(empty_fd);
    const Cost hook_before = ReadHook(programs);
    sleep(1);
    const double floor = PerRun(floor_before, Read(empty_fd));
    const double hook = PerRun(hook_before, ReadHook(programs));
    std::printf("| %s | %.1f | %.1f | %.1f |\n", load, floor, hook, hook - floor);
  }
}

int Main() {
  const auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return 1;
  }
  empty_bpf* empty = empty_bpf__open_and_load();
  if (empty == nullptr || empty_bpf__attach(empty) != 0) {
    return 1;
  }
  const int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  const int empty_fd = bpf_program__fd(empty->progs.empty);
  std::printf("| load | empty program, ns | on_switch, ns | net, ns |\n|---|---|---|---|\n");
  {
    Gate end;
    const pid_t players = PingPong(0, end);
    Measure("ping-pong", **programs, empty_fd);
    end.Open();
    Wait(players);
  }
  {
    Gate end;
    const pid_t ring = TokenRing(400, 40, end);
    Measure("400 tasks", **programs, empty_fd);
    end.Open();
    Wait(ring);
  }
  close(stats_fd);
  empty_bpf__destroy(empty);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() { return sched_exporter::test_support::Main(); }
