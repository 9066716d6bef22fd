// The histograms, against the kernel's books of each task and against a recording of each switch.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/switch_recorder.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr char kLatency[] = "sched_cgroup_runqueue_latency_seconds";
constexpr char kTimeslice[] = "sched_cgroup_timeslice_seconds";

/// Uses CPU for a time and rests for a time, both at random, for ever.
void Wander(unsigned seed) {
  std::minstd_rand random(seed);
  while (true) {
    const auto end = std::chrono::steady_clock::now() +
                     microseconds(random() % (random() % 32 == 0 ? 4000 : 40));
    while (std::chrono::steady_clock::now() < end) {
    }
    if (random() % 8 == 0) {
      usleep(static_cast<useconds_t>(random() % 300));
    } else {
      sched_yield();
    }
  }
}

/// Processes that live in a cgroup from birth, and then stand still.
class Herd {
 public:
  Herd(const std::string& directory, int size) {
    for (int i = 0; i < size; ++i) {
      pids_.push_back(ForkInto(directory, [i] { Wander(static_cast<unsigned>(i + 1)); }));
    }
  }

  ~Herd() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      Wait(pid);
    }
  }

  void Stop() const {
    for (const pid_t pid : pids_) {
      kill(pid, SIGSTOP);
      waitpid(pid, nullptr, WUNTRACED);
    }
  }

  SchedStat Sum() const {
    SchedStat sum;
    for (const pid_t pid : pids_) {
      const SchedStat one = ReadSchedStat(pid);
      sum.run_ns += one.run_ns;
      sum.wait_ns += one.wait_ns;
      sum.timeslices += one.timeslices;
    }
    return sum;
  }

  /// Of both kinds, by /proc/PID/status.
  std::uint64_t Switches() const {
    std::uint64_t sum = 0;
    for (const pid_t pid : pids_) {
      std::ifstream status("/proc/" + std::to_string(pid) + "/status");
      std::string word;
      while (status >> word) {
        std::uint64_t count = 0;
        if (word.ends_with("voluntary_ctxt_switches:") && status >> count) {
          sum += count;
        }
      }
    }
    return sum;
  }

 private:
  std::vector<pid_t> pids_;
};

std::uint64_t CgroupId(const std::string& directory) {
  struct stat status {};
  return stat(directory.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// Not cumulative, the last one for what is beyond all bounds.
using Buckets = std::array<std::uint64_t, 26>;

void Add(Buckets& buckets, std::uint64_t ns, std::uint64_t count = 1) {
  std::size_t i = 0;
  while (i + 1 < buckets.size() && ns > (1000ULL << i)) {
    ++i;
  }
  buckets[i] += count;
}

Buckets ReadBuckets(const MetricsText& metrics, const std::string& family,
                    const std::string& cgroup) {
  Buckets buckets{};
  double below = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    std::ostringstream bound;
    bound.precision(16);
    bound << static_cast<double>(1000ULL << i) / 1e9;
    const std::string le = i + 1 == buckets.size() ? "+Inf" : bound.str();
    const double upto = metrics.Sum(family + "_bucket", {{"cgroup", cgroup}, {"le", le}});
    buckets[i] = static_cast<std::uint64_t>(upto - below);
    below = upto;
  }
  return buckets;
}

/// What the recording says, by subtraction of each task's records.
struct Recorded {
  Buckets waits{};
  Buckets slices{};
  std::uint64_t switches = 0;
};

Recorded FromRecords(const std::vector<SwitchRecord>& records) {
  Recorded recorded;
  // A task's records by its run time: CPUs write into one buffer, but not at one time. And by its
  // timeslices: in an emulated machine there are some in which the clock did not move.
  using Figures = std::pair<std::uint64_t, std::uint64_t>;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::map<Figures, SwitchRecord>> tasks;
  for (const SwitchRecord& record : records) {
    tasks[{record.task, record.start_ns}][{record.run_ns, record.timeslices}] = record;
  }
  for (const auto& [task, switches] : tasks) {
    SwitchRecord last;
    for (const auto& [figures, record] : switches) {
      // More than 1: some had no event. 0: it arrived without the kernel's counting that.
      const std::uint64_t waits = record.timeslices - last.timeslices;
      const std::uint64_t slices = std::max<std::uint64_t>(waits, 1);
      Add(recorded.slices, (record.run_ns - last.run_ns) / slices, slices);
      if (waits > 0) {
        Add(recorded.waits, (record.wait_ns - last.wait_ns) / waits, waits);
      }
      recorded.switches += slices;
      last = record;
    }
  }
  return recorded;
}

void ExpectSame(const Buckets& ours, const Buckets& truth, const std::string& what) {
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(ours[i]), static_cast<double>(truth[i]),
                static_cast<double>(truth[i]) * 0.02)
        << what << ", bucket " << i;
  }
}

struct Load {
  const char* name;
  const char* config;
  int processes;
  /// Without an entry in the hash a task may lose the first part of a wait on two queues, or a
  /// timeslice that no event told.
  double tolerance;
};

void PrintTo(const Load& load, std::ostream* out) { *out << load.name; }

class DistributionTruth : public testing::TestWithParam<Load> {};

TEST_P(DistributionTruth, AreTheKernelsOwnBooksAndEverySwitchThatWasRecorded) {
  const CgroupHost host = UnifiedHost();
  ASSERT_FALSE(host.mount_point.empty()) << "no v2 hierarchy is mounted";
  const TestCgroup cgroup(host, std::string("distributions-") + GetParam().name);
  const std::string directory = host.mount_point + cgroup.label();
  Exporter::Settings settings;
  settings.config = std::string("cgroup: {hierarchy: v2}\n") + GetParam().config;
  const auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  const auto recorder = SwitchRecorder::Start(CgroupId(directory));
  ASSERT_NE(recorder, nullptr);
  const Herd herd(directory, GetParam().processes);
  std::vector<SwitchRecord> records;
  const auto wanted = static_cast<std::size_t>(ShareOfLoad(120'000));
  while (records.size() < wanted) {
    std::this_thread::sleep_for(milliseconds(100));
    for (const SwitchRecord& record : recorder->Take()) {
      records.push_back(record);
    }
  }
  herd.Stop();
  // The last of them has told its parent, but is perhaps on its way to the switch yet.
  auto metrics = (*exporter)->Scrape();
  EXPECT_TRUE(WaitUntil([&] {
    metrics = (*exporter)->Scrape();
    return metrics && metrics->Sum("sched_cgroup_timeslices_total", {{"cgroup", cgroup.label()}}) ==
                          static_cast<double>(herd.Sum().timeslices);
  }));
  ASSERT_TRUE(metrics) << metrics.error().message;
  for (const SwitchRecord& record : recorder->Take()) {
    records.push_back(record);
  }
  ASSERT_EQ(recorder->lost(), 0);
  const auto sum = [&](const std::string& family) {
    return metrics->Sum(family, {{"cgroup", cgroup.label()}});
  };
  const SchedStat truth = herd.Sum();
  const auto expect_near = [](double ours, std::uint64_t theirs, double rounding) {
    const auto truth_of_it = static_cast<double>(theirs);
    EXPECT_NEAR(ours, truth_of_it, rounding + truth_of_it * GetParam().tolerance);
  };
  expect_near(sum(std::string(kTimeslice) + "_sum") * 1e9, truth.run_ns, 1);
  expect_near(sum(std::string(kLatency) + "_sum") * 1e9, truth.wait_ns, 1);
  expect_near(sum(std::string(kTimeslice) + "_count"), herd.Switches(), 0);
  expect_near(sum(std::string(kLatency) + "_count"), truth.timeslices, 0);
  EXPECT_NEAR(sum("sched_cgroup_cpu_seconds_total") * 1e9, static_cast<double>(truth.run_ns), 1);
  EXPECT_EQ(sum("sched_cgroup_timeslices_total"), static_cast<double>(truth.timeslices));
  const Recorded recorded = FromRecords(records);
  EXPECT_GE(recorded.switches, ShareOfLoad(100'000));
  if (GetParam().tolerance > 0) {
    return;
  }
  ExpectSame(ReadBuckets(*metrics, kTimeslice, cgroup.label()), recorded.slices, "timeslices");
  ExpectSame(ReadBuckets(*metrics, kLatency, cgroup.label()), recorded.waits, "latency");
}

INSTANTIATE_TEST_SUITE_P(Loads, DistributionTruth,
                         testing::Values(Load{"few", "", 3, 0}, Load{"many", "", 60, 0},
                                         Load{"evicted", "maps: {tasks: 1}\n", 60, 0.03}),
                         [](const auto& load) { return std::string(load.param.name); });

}  // namespace
}  // namespace sched_exporter::test_support
