// Cost of a walk as tasks grow: the LRU hash in batches and key by key, the task iterator, and the
// whole sweep with the ledger. Budget: linear, at most 1 us a task.
#include <bpf/libbpf.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "exporter/kernel/source.h"
#include "exporter/ledger/ledger.h"
#include "floors.skel.h"
#include "tests/bench/figures.h"
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

/// Durations of `body` in microseconds over `count`.
template <typename Body>
std::vector<double> MicrosecondsEach(int times, double count, const Body& body) {
  std::vector<double> durations;
  for (int i = 0; i < times; ++i) {
    const auto begin = Clock::now();
    body();
    durations.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() /
                        count);
  }
  return durations;
}

long ResidentKb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Microseconds a task, or an entry of the hash.
struct Readings {
  double tasks = 0;
  double entries = 0;
  std::vector<double> batch;
  std::vector<double> next_key;
  std::vector<double> tour;
  std::vector<double> iterate;
  std::vector<double> sweep;
  std::vector<double> apply;
};

void Print(int tasks, const Readings& readings) {
  const Spread sweep = SpreadOf(readings.sweep);
  const Spread apply = SpreadOf(readings.apply);
  std::printf("| %s | %s | %.3f | %.3f | %.3f | %.3f | %.3f | %s | %.3f | %s | %ld |\n",
              GroupedText(static_cast<long>(readings.tasks)).c_str(),
              GroupedText(static_cast<long>(readings.entries)).c_str(),
              SpreadOf(readings.batch).median, SpreadOf(readings.next_key).median,
              SpreadOf(readings.tour).median, SpreadOf(readings.iterate).median, sweep.median,
              QuartilesText(sweep, 3).c_str(), apply.median, QuartilesText(apply, 3).c_str(),
              ResidentKb() / 1024);
  std::fflush(stdout);
  const std::string key = "walk." + std::to_string(tasks);
  RecordFigure(key + ".sweep_us", sweep);
  RecordFigure(key + ".ledger_us", apply);
}

bool Measure(int tasks, int times, const floors_bpf& floors) {
  ProgramOptions options;
  options.tasks = 131072;
  auto programs = Programs::Load(options);
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return false;
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
  walk.Batch(readings);
  const auto entries = static_cast<double>(readings.size());
  const auto n = static_cast<double>(ledger.task_count());
  const auto batch = MicrosecondsEach(times, entries, [&] {
    readings.clear();
    walk.Batch(readings);
  });
  const auto next_key = MicrosecondsEach(times, entries, [&] {
    readings.clear();
    walk.NextKey(readings);
  });
  TaskIterator empty(bpf_link__fd(floors.links.empty_iterator));
  const auto tour = MicrosecondsEach(times, n, [&] { empty.Read(readings, keys); });
  const auto iterate = MicrosecondsEach(times, n, [&] {
    readings.clear();
    keys.clear();
    iterator.Read(readings, keys);
  });
  const auto sweep = MicrosecondsEach(times, n, [&] { (*source)->Sweep(snapshot); });
  const auto apply = MicrosecondsEach(times, n, [&] { ledger.Apply(snapshot); });
  Print(tasks, {n, entries, batch, next_key, tour, iterate, sweep, apply});
  end.Open();
  Wait(sleepers);
  return true;
}

int Main(int times) {
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr) {
    std::fprintf(stderr, "cannot load the floors\n");
    return 1;
  }
  floors->links.empty_iterator = bpf_program__attach(floors->progs.empty_iterator);
  std::printf(
      "Microseconds a task, medians:\n\n"
      "| tasks | hash entries | batch | next_key | empty iterator | iterator | sweep | quartiles | "
      "ledger | quartiles | peak, MB |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  const char* const pid_max = "/proc/sys/kernel/pid_max";
  int former_pid_max = 0;
  std::ifstream(pid_max) >> former_pid_max;
  std::ofstream(pid_max) << std::max(400'000, former_pid_max);
  bool done = floors->links.empty_iterator != nullptr;
  for (const int tasks : {1000, 3000, 10'000, 30'000, 100'000}) {
    done = done && Measure(tasks, times, *floors);
  }
  std::ofstream(pid_max) << former_pid_max;
  floors_bpf__destroy(floors);
  return done ? 0 : 1;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv) ? 5
                                                                                              : 21);
}
