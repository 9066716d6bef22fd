// What a sweep costs is bound to the memory that it touches: known tasks need no new one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "exporter/ledger/ledger.h"
#include "exporter/metrics/exposition.h"
#include "tests/support/samples.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#else
#define COUNTS_ALLOCATIONS 1
#endif

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

#if COUNTS_ALLOCATIONS
// Not inline: GCC 12 would take free() in one of them for the wrong end of the other.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  void* const memory = std::malloc(bytes);
  return memory == nullptr ? throw std::bad_alloc() : memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
#endif

namespace sched_exporter {
namespace {

class OneGroup : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& /*identity*/, const ProgramImagePtr& /*image*/) override {
    return group_;
  }
  std::string CgroupPath(std::uint64_t cgroup_id) override {
    return "/" + std::to_string(cgroup_id);
  }

 private:
  GroupPtr group_ = MakeGroup("all");
};

constexpr std::uint32_t kProcesses = 1'000;
constexpr std::uint32_t kThreads = 10;

/// Every second task is told by its entry in the kernel's hash, the others in full.
Snapshot SnapshotOf(std::uint32_t sweep) {
  Snapshot snapshot;
  snapshot.sweep = sweep;
  snapshot.boottime_ns = 1'000'000'000'000 + sweep * 5'000'000'000ULL;
  for (std::uint32_t i = 0; i < kProcesses * kThreads; ++i) {
    TaskReading reading;
    reading.key = 0x1000 + i;
    reading.identity.tgid = 10 * (1 + i / kThreads);
    reading.identity.pid = reading.identity.tgid + i % kThreads;
    reading.identity.leader_start_ns = reading.identity.tgid;
    reading.identity.start_ns = reading.identity.pid;
    reading.identity.cgroup_id = 1 + i % 20;
    reading.figures.run_ns = 1'000ULL * sweep * (1 + i % 3);
    reading.figures.timeslices = sweep;
    if (i % 2 == 0) {
      snapshot.living.push_back(reading);
    } else {
      snapshot.switched.push_back(reading);
      snapshot.living_keys.push_back(reading.key);
    }
  }
  return snapshot;
}

TEST(Allocations, ASweepOfKnownTasksNeedsNoMemoryForEach) {
  if (!COUNTS_ALLOCATIONS) {
    GTEST_SKIP() << "sanitizers have an operator new of their own";
  }
  OneGroup naming;
  Ledger ledger(LedgerLimits{}, naming);
  allocations = 0;
  ledger.Apply(SnapshotOf(1));
  EXPECT_GT(allocations, kProcesses) << "it counts";
  ledger.Apply(SnapshotOf(2));
  const Snapshot snapshot = SnapshotOf(3);
  allocations = 0;
  ledger.Apply(snapshot);
  EXPECT_LT(allocations, 100);
  EXPECT_EQ(ledger.task_count(), kProcesses * kThreads);
}

/// A row's labels, and no more for each of its series.
TEST(Allocations, TheTextNeedsNoMemoryForEachSeries) {
  if (!COUNTS_ALLOCATIONS) {
    GTEST_SKIP() << "sanitizers have an operator new of their own";
  }
  Sample sample = test_support::MakeSample();
  for (std::uint32_t i = 0; i < kProcesses; ++i) {
    sample.report.processes.push_back(test_support::MakeProcess(1000 + i, "a_name_of_15_ch"));
  }
  Serialize(sample, TextFormat::kClassic);
  allocations = 0;
  const std::string text = Serialize(sample, TextFormat::kClassic);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GT(lines, 10 * kProcesses);
  EXPECT_LT(allocations, 4 * kProcesses) << "three for the labels of each process";
}

}  // namespace
}  // namespace sched_exporter
