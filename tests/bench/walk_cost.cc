// Cost of a walk as tasks grow: the LRU hash in batches and key by key, the task iterator, and the
// whole sweep with the ledger. Budget: linear, at most 1 us a task.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <vector>

#include "exporter/kernel/source.h"
#include "exporter/ledger/ledger.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

class PlainNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& /*image*/) override {
    return MakeGroup(std::string(identity.comm.data()));
  }
  std::string CgroupPath(std::uint64_t cgroup_id) override { return std::to_string(cgroup_id); }
};

/// The median of `body`'s durations in microseconds.
template <typename Body>
double MedianUs(const Body& body) {
  std::vector<double> times;
  for (int i = 0; i < 11; ++i) {
    const auto begin = Clock::now();
    body();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 5, times.end());
  return times[5];
}

long ResidentKb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void Measure(int tasks) {
  ProgramOptions options;
  options.tasks = 131072;
  auto programs = Programs::Load(options);
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return;
  }
  auto source = Source::Open(**programs, Walk::kAuto);
  PlainNaming naming;
  Ledger ledger(LedgerLimits{}, naming);
  Snapshot snapshot;
  (*source)->Sweep(snapshot);
  ledger.Apply(snapshot);
  Gate end;
  const pid_t sleepers = StartSleepingThreads(tasks, end);
  sleep(1 + static_cast<unsigned>(tasks) / 20'000);  // until the last thread sleeps
  (*source)->Sweep(snapshot);
  ledger.Apply(snapshot);
  TaskWalk walk((*programs)->tasks_fd(), options.tasks);
  TaskIterator iterator((*programs)->iterator_link_fd());
  std::vector<TaskReading> readings;
  std::vector<TaskKey> keys;
  const double batch = MedianUs([&] {
    readings.clear();
    walk.Batch(readings);
  });
  const double next_key = MedianUs([&] {
    readings.clear();
    walk.NextKey(readings);
  });
  const auto entries = static_cast<double>(readings.size());
  const double iterate = MedianUs([&] {
    readings.clear();
    keys.clear();
    iterator.Read(readings, keys);
  });
  const double sweep = MedianUs([&] { (*source)->Sweep(snapshot); });
  const double apply = MedianUs([&] { ledger.Apply(snapshot); });
  const auto n = static_cast<double>(ledger.task_count());
  std::printf("| %.0f | %.0f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %ld |\n", n, entries,
              batch / entries, next_key / entries, iterate / n, sweep / n, apply / n,
              (sweep + apply) / n, ResidentKb() / 1024);
  end.Open();
  Wait(sleepers);
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() {
  std::printf(
      "us a task:\n"
      "| tasks | hash entries | batch | next_key | iterator | sweep | ledger | sweep + ledger | "
      "peak MB |\n|---|---|---|---|---|---|---|---|---|\n");
  const char* const pid_max = "/proc/sys/kernel/pid_max";
  int former_pid_max = 0;
  std::ifstream(pid_max) >> former_pid_max;
  std::ofstream(pid_max) << 400'000;
  for (const int tasks : {1000, 3000, 10'000, 30'000, 100'000}) {
    sched_exporter::test_support::Measure(tasks);
  }
  std::ofstream(pid_max) << former_pid_max;
  return 0;
}
