#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;

struct Books {
  double attributed = 0;
  double unattributed = 0;
  double busy = 0;
  double missed = 0;
  double scrape_seconds = 0;  ///< How long it took to ask for them.
};

Books Read(const Exporter& exporter, const std::string& view) {
  const auto begin = std::chrono::steady_clock::now();
  const auto metrics = exporter.Scrape();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(metrics);
  return {metrics->Sum("sched_" + view + "_cpu_seconds_total"),
          metrics->Sum("sched_unattributed_cpu_seconds_total"),
          metrics->Sum("sched_cpu_busy_seconds_total"),
          metrics->Sum("sched_exporter_missed_switches_total"), took.count()};
}

/// Busy loops, sleepers, forks and pipes on all CPUs, until killed.
std::vector<pid_t> StartMixedLoad() {
  std::vector<pid_t> load;
  load.push_back(Fork([] {
    while (true) {
      Burn(milliseconds(20));
      usleep(3000);
    }
    return true;
  }));
  load.push_back(Fork([] {
    while (true) {
      BurnInSystemCalls(milliseconds(7));
      usleep(500);
    }
    return true;
  }));
  load.push_back(Fork([] {
    while (SpawnMany("/bin/true", 100, 4)) {
      usleep(20'000);
    }
    return false;
  }));
  load.push_back(Fork([] {
    while (true) {
      std::vector<std::thread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([] { Burn(milliseconds(1)); });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
      usleep(5000);
    }
    return true;
  }));
  return load;
}

TEST(Conservation, GroupsAndUnattributedMakeUpTheBusyTime) {
  const auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const std::vector<pid_t> load = StartMixedLoad();
  const Books before = Read(**exporter, "group");
  std::this_thread::sleep_for(milliseconds(ShareOfLoad(10'000, 3'000)));
  const Books after = Read(**exporter, "group");
  for (const pid_t pid : load) {
    kill(pid, SIGKILL);
    Wait(pid);
  }
  const double attributed = after.attributed - before.attributed;
  const double busy = after.busy - before.busy;
  const double missed = after.missed - before.missed;
  std::printf("attributed %.6f s, busy %.6f s, ratio %.6f, missed switches %.0f\n", attributed,
              busy, attributed / busy, missed);
  // A switch without an event hides a slice from the CPU's books, but not from the task's. What a
  // task uses while the exporter reads may be in its CPU's books already and in its group's only at
  // the next scrape.
  const double reading = before.scrape_seconds + after.scrape_seconds;
  EXPECT_NEAR(attributed, busy,
              busy * (missed > 0 ? 0.01 : 0.001) +
                  reading * static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)));
  EXPECT_EQ(after.unattributed, 0);
}

TEST(Conservation, GroupsAndCgroupsHaveTheSameSum) {
  const auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const std::vector<pid_t> load = StartMixedLoad();
  for (int i = 0; i < ShareOfLoad(20, 5); ++i) {
    std::this_thread::sleep_for(milliseconds(100));
    const auto metrics = (*exporter)->Scrape();
    ASSERT_TRUE(metrics);
    EXPECT_NEAR(metrics->Sum("sched_cgroup_cpu_seconds_total"),
                metrics->Sum("sched_group_cpu_seconds_total"), 1e-6);
  }
  for (const pid_t pid : load) {
    kill(pid, SIGKILL);
    Wait(pid);
  }
}

TEST(Conservation, LimitsHoldAndNothingGoesBackwards) {
  const auto exporter =
      Exporter::Start({"limits: {processes: 5, groups: 3, cgroups: 1}\n", {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  const std::vector<pid_t> load = StartMixedLoad();
  MetricsText last;
  for (int i = 0; i < ShareOfLoad(100, 20); ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    auto metrics = (*exporter)->Scrape();
    ASSERT_TRUE(metrics);
    EXPECT_LE(metrics->Count("sched_process_threads"), 6U);
    EXPECT_LE(metrics->Count("sched_group_threads"), 4U);
    EXPECT_LE(metrics->Count("sched_cgroup_threads"), 2U);
    EXPECT_GT(metrics->Sum("sched_exporter_folded_series", {{"view", "process"}}), 0);
    EXPECT_EQ(BackwardCounters(last, *metrics), std::vector<std::string>());
    last = std::move(*metrics);
  }
  EXPECT_GT(last.Sum("sched_process_cpu_seconds_total", {{"pid", "other"}}), 0);
  for (const pid_t pid : load) {
    kill(pid, SIGKILL);
    Wait(pid);
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
