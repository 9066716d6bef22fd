#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exporter/kernel/source.h"
#include "exporter/kernel/task_walk.h"
#include "tests/support/exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

const int kSleepers = ShareOfLoad(500, 100);

/// Sleepers whose pids are known, and forks that come and go beside them.
class Crowd {
 public:
  Crowd() {
    for (int i = 0; i < kSleepers; ++i) {
      pids_.push_back(Fork([] {
        while (true) {
          usleep(200'000);
        }
        return true;
      }));
    }
    churn_ = Fork([] {
      while (SpawnMany("/bin/true", 100, 8)) {
      }
      return false;
    });
    usleep(500'000);  // each has slept by now
  }

  ~Crowd() {
    pids_.push_back(churn_);
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
    }
    for (const pid_t pid : pids_) {
      Wait(pid);
    }
  }

  const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
  pid_t churn_ = 0;
};

std::unique_ptr<Programs> Load(std::uint32_t tasks) {
  ProgramOptions options;
  options.tasks = tasks;
  auto programs = Programs::Load(options);
  EXPECT_TRUE(programs) << programs.error().message;
  return programs ? std::move(*programs) : nullptr;
}

using Method = Result<TaskWalkStats> (TaskWalk::*)(std::vector<TaskReading>&);

/// Every sleeper is found, every task once, and the walk ends by itself.
void ExpectAllFoundOnce(const Programs& programs, const Crowd& crowd, Method method) {
  TaskWalk walk(programs.tasks_fd(), programs.options().tasks);
  for (int i = 0; i < 30; ++i) {
    std::vector<TaskReading> readings;
    const auto stats = (walk.*method)(readings);
    ASSERT_TRUE(stats) << stats.error().message;
    EXPECT_EQ(stats->entries, readings.size());
    std::set<TaskKey> keys;
    std::map<pid_t, int> found;
    for (const TaskReading& reading : readings) {
      EXPECT_TRUE(keys.insert(reading.key).second);
      ++found[static_cast<pid_t>(reading.identity.pid)];
    }
    int missing = 0;
    for (const pid_t pid : crowd.pids()) {
      missing += found[pid] == 1 ? 0 : 1;
    }
    // One of them may just be switching: such an entry is left out and counted.
    EXPECT_LE(missing, static_cast<int>(stats->torn) + (stats->complete ? 0 : kSleepers));
  }
}

TEST(Walk, BatchFindsEveryTaskOnceWhileOthersComeAndGo) {
  const auto programs = Load(16384);
  ASSERT_NE(programs, nullptr);
  const Crowd crowd;
  ExpectAllFoundOnce(*programs, crowd, &TaskWalk::Batch);
}

TEST(Walk, NextKeyFindsEveryTaskOnceWhileOthersComeAndGo) {
  const auto programs = Load(16384);
  ASSERT_NE(programs, nullptr);
  const Crowd crowd;
  ExpectAllFoundOnce(*programs, crowd, &TaskWalk::NextKey);
}

TEST(Walk, EndsWithTheSmallestHashThatChangesAllTheTime) {
  const auto programs = Load(1);
  ASSERT_NE(programs, nullptr);
  const Crowd crowd;
  TaskWalk walk(programs->tasks_fd(), programs->options().tasks);
  for (const Method method : {&TaskWalk::Batch, &TaskWalk::NextKey}) {
    for (int i = 0; i < 200; ++i) {
      std::vector<TaskReading> readings;
      const auto stats = (walk.*method)(readings);
      ASSERT_TRUE(stats) << stats.error().message;
      EXPECT_LE(readings.size(), 64U);
    }
  }
}

TEST(Walk, SweepTellsWhatTheSmallestHashCannotHold) {
  const auto programs = Load(1);
  ASSERT_NE(programs, nullptr);
  const Crowd crowd;
  for (const pid_t pid : crowd.pids()) {
    kill(pid, SIGSTOP);
    waitpid(pid, nullptr, WUNTRACED);
  }
  const auto source = Source::Open(*programs, Walk::kAuto);
  ASSERT_TRUE(source) << source.error().message;
  Snapshot snapshot;
  ASSERT_TRUE((*source)->Sweep(snapshot));
  std::map<pid_t, std::uint64_t> run_ns;
  for (const std::vector<TaskReading>* readings : {&snapshot.switched, &snapshot.living}) {
    for (const TaskReading& reading : *readings) {
      run_ns[static_cast<pid_t>(reading.identity.pid)] = reading.figures.run_ns;
    }
  }
  for (const pid_t pid : crowd.pids()) {
    EXPECT_EQ(run_ns[pid], ReadSchedStat(pid).run_ns) << pid;
  }
}

class WalkMethodInConfig : public testing::TestWithParam<std::string> {};

TEST_P(WalkMethodInConfig, GivesTheKernelsFigures) {
  const auto exporter = Exporter::Start({"collection: {walk: " + GetParam() + "}\n", {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  const Crowd crowd;
  std::vector<pid_t> stopped(crowd.pids().begin(), crowd.pids().begin() + 50);
  for (const pid_t pid : stopped) {
    kill(pid, SIGSTOP);
    waitpid(pid, nullptr, WUNTRACED);
  }
  // A process that has told its parent that it stops is perhaps on its CPU for a moment yet.
  std::string differs;
  EXPECT_TRUE(WaitUntil([&] {
    const auto metrics = (*exporter)->Scrape();
    differs.clear();
    for (const pid_t pid : stopped) {
      const double ours =
          metrics->Sum("sched_process_cpu_seconds_total", {{"pid", std::to_string(pid)}}) * 1e9;
      const auto truth = static_cast<double>(ReadProcessSchedStat(pid).run_ns);
      if (std::abs(ours - truth) > 1) {
        differs += std::to_string(pid) + ": " + std::to_string(ours - truth) + " ns; ";
      }
    }
    return differs.empty();
  })) << differs;
}

INSTANTIATE_TEST_SUITE_P(Methods, WalkMethodInConfig, testing::Values("auto", "batch", "next_key"),
                         [](const auto& method) { return method.param; });

}  // namespace
}  // namespace sched_exporter::test_support
