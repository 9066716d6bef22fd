// Cost of one run of the program on sched_switch, by the kernel's own run_time_ns / run_cnt, beside
// two programs that are attached at the same time: an empty one, and one that does nothing but one
// store into an LRU hash. Budgets over the empty one: 25 ns net with hot caches (two tasks
// that play ping-pong), 350 ns net with cold ones (400 tasks that pass tokens round).
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "exporter/kernel/programs.h"
#include "floors.skel.h"
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

/// The least of some windows: what disturbs a window makes it slower, never faster.
void Measure(const char* load, const Programs& programs, const floors_bpf& floors) {
  constexpr int kWindows = 10;
  const int empty_fd = bpf_program__fd(floors.progs.empty);
  const int store_fd = bpf_program__fd(floors.progs.lru_store);
  double empty = 1e9;
  double store = 1e9;
  double hook = 1e9;
  sleep(1);
  for (int i = 0; i < kWindows; ++i) {
    const Cost empty_before = Read(empty_fd);
    const Cost store_before = Read(store_fd);
    const Cost hook_before = ReadHook(programs);
    usleep(500'000);
    empty = std::min(empty, PerRun(empty_before, Read(empty_fd)));
    store = std::min(store, PerRun(store_before, Read(store_fd)));
    hook = std::min(hook, PerRun(hook_before, ReadHook(programs)));
  }
  std::printf("| %s | %.1f | %.1f | %.1f | %.1f | %.1f |\n", load, empty, store, hook,
              store - empty, hook - empty);
}

int Main() {
  const auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return 1;
  }
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr || floors_bpf__attach(floors) != 0) {
    return 1;
  }
  const int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  std::printf(
      "| load | empty, ns | one LRU store, ns | on_switch, ns | one LRU store, net | on_switch, "
      "net "
      "|\n|---|---|---|---|---|---|\n");
  {
    Gate end;
    const pid_t players = PingPong(0, end);
    Measure("ping-pong", **programs, *floors);
    end.Open();
    Wait(players);
  }
  {
    Gate end;
    const pid_t ring = TokenRing(400, 40, end);
    Measure("400 tasks", **programs, *floors);
    end.Open();
    Wait(ring);
  }
  close(stats_fd);
  floors_bpf__destroy(floors);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() { return sched_exporter::test_support::Main(); }
