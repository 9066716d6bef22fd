#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;

std::string UniqueName(const std::string& start) {
  return start + std::to_string(getpid() % 1'000'000);
}

class Truth : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Exporter::Start();
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  MetricsText Scrape() const {
    auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics ? std::move(*metrics) : MetricsText();
  }

  std::unique_ptr<Exporter> exporter_;
};

TEST_F(Truth, BusyLoopGrowsWithTheClockWhileItRuns) {
  Gate begin;
  const pid_t loop = Fork([&] {
    PinTo(1);
    // Nobody else may take this CPU: then it doesn't switch for seconds.
    setpriority(PRIO_PROCESS, 0, -20);
    SetComm("busy_alone");
    begin.Open();
    while (true) {
      Burn(milliseconds(1000));
    }
    return true;
  });
  begin.WaitFor();
  const auto counted = [&] {
    return Scrape().Sum("sched_process_cpu_seconds_total", {{"pid", std::to_string(loop)}});
  };
  const auto kernels = [&] { return static_cast<double>(ReadProcessSchedStat(loop).run_ns) / 1e9; };
  double last = counted();
  double last_kernels = kernels();
  bool last_narrow = false;
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(milliseconds(500));
    // The kernel brings its figure up to date at each tick, for us as for /proc: what we show was
    // read between these two, to the nanosecond.
    const double before = kernels();
    const double now = counted();
    const double after = kernels();
    EXPECT_GE(now, before - 1e-9);
    EXPECT_LE(now, after + 1e-9);
    const bool narrow = after - before < 0.005;
    if (narrow && last_narrow) {
      EXPECT_NEAR((now - last) / (before - last_kernels), 1, 0.02);
    }
    last_narrow = narrow;
    last = now;
    last_kernels = before;
  }
  kill(loop, SIGSTOP);
  waitpid(loop, nullptr, WUNTRACED);
  EXPECT_NEAR(counted() / kernels(), 1, 0.001);
  kill(loop, SIGKILL);
  Wait(loop);
}

/// The CPU time of a process that has ended.
struct Used {
  double user = 0;    ///< By wait4().
  double system = 0;  ///< By wait4(), which doesn't know the very end of the exit.
  double all = 0;     ///< By the cgroup that it was born in.
};

/// Runs `body` in a process with this name, to its end.
Used RunNamed(const std::string& name, const std::function<void()>& body) {
  const TestCgroup cgroup(UnifiedHost(), "truth");
  const pid_t child = ForkInto(cgroup.directory(), [&] {
    SetComm(name);
    body();
  });
  int status = -1;
  rusage usage{};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  // The last of it is billed at its last switch, shortly after the parent hears of the end.
  double all = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const double before = std::exchange(all, static_cast<double>(cgroup.UsageNs()) / 1e9);
    return all > 0 && all == before;
  }));
  return {seconds(usage.ru_utime), seconds(usage.ru_stime), all};
}

/// The shares of user time by the exporter and by wait4().
void ExpectSameSplit(const Exporter& exporter, const std::string& name,
                     const std::function<void()>& body) {
  const Used truth = RunNamed(name, body);
  double user = 0;
  double total = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const auto metrics = exporter.Scrape();
    user = metrics->Sum("sched_group_cpu_seconds_total", {{"group", name}, {"mode", "user"}});
    total = metrics->Sum("sched_group_cpu_seconds_total", {{"group", name}});
    return std::abs(total / truth.all - 1) <= 0.001;
  })) << total
      << " of " << truth.all;
  EXPECT_NEAR(user / total, truth.user / (truth.user + truth.system), 0.03);
}

TEST_F(Truth, UserAndSystemTimeAreSplitAsGetrusageDoes) {
  ExpectSameSplit(*exporter_, UniqueName("user"), [] { Burn(milliseconds(2000)); });
  ExpectSameSplit(*exporter_, UniqueName("sys"), [] { BurnInSystemCalls(milliseconds(2000)); });
  ExpectSameSplit(*exporter_, UniqueName("mix"), [] {
    for (int i = 0; i < 20; ++i) {
      Burn(milliseconds(50));
      BurnInSystemCalls(milliseconds(50));
    }
  });
}

TEST_F(Truth, TimeStaysInTheGroupAfterTheEnd) {
  const std::string name = UniqueName("gone");
  const Used truth = RunNamed(name, [] { Burn(milliseconds(300)); });
  const auto ratio = [&] {
    return Scrape().Sum("sched_group_cpu_seconds_total", {{"group", name}}) / truth.all;
  };
  EXPECT_TRUE(WaitUntil([&] { return ratio() >= 0.999; }));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(ratio(), 1, 0.001);
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_EQ(Scrape().Sum("sched_group_processes", {{"group", name}}), 0);
}

std::uint64_t KernelSwitches() {
  std::ifstream stat("/proc/stat");
  std::string word;
  std::uint64_t value = 0;
  while (stat >> word) {
    if (word == "ctxt") {
      stat >> value;
      break;
    }
  }
  return value;
}

TEST_F(Truth, SwitchesAgreeWithTheKernelsCount) {
  Gate end;
  // The kernel's count has idle's switches, ours has not: no CPU may be idle.
  std::vector<pid_t> players;
  const auto cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  for (int cpu = 0; cpu < cpus; ++cpu) {
    players.push_back(PingPong(cpu, end));
  }
  std::this_thread::sleep_for(milliseconds(300));
  // The kernel's count before and after each scrape: ours was read in between.
  const std::uint64_t first = KernelSwitches();
  const double before = Scrape().Sum("sched_group_context_switches_total");
  const std::uint64_t second = KernelSwitches();
  const auto wanted = static_cast<std::uint64_t>(ShareOfLoad(800'000));
  while (KernelSwitches() - second < wanted) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  const std::uint64_t third = KernelSwitches();
  const double after = Scrape().Sum("sched_group_context_switches_total");
  const std::uint64_t fourth = KernelSwitches();
  end.Open();
  for (const pid_t player : players) {
    Wait(player);
  }
  constexpr double kTolerance = 0.005;
  EXPECT_GE(after - before, static_cast<double>(third - second) * (1 - kTolerance));
  EXPECT_LE(after - before, static_cast<double>(fourth - first) * (1 + kTolerance));
}

TEST_F(Truth, WaitAndTimeslicesAgreeWithSchedstat) {
  Gate end;
  std::vector<pid_t> rivals;
  for (int i = 0; i < 3; ++i) {
    rivals.push_back(Fork([&] {
      PinTo(0);
      while (end.step() == 0) {
        Burn(milliseconds(5));
      }
      return true;
    }));
  }
  std::this_thread::sleep_for(milliseconds(1500));
  for (const pid_t rival : rivals) {
    kill(rival, SIGSTOP);
    waitpid(rival, nullptr, WUNTRACED);
  }
  const MetricsText metrics = Scrape();
  for (const pid_t rival : rivals) {
    const SchedStat truth = ReadProcessSchedStat(rival);
    const Labels labels{{"pid", std::to_string(rival)}};
    EXPECT_NEAR(metrics.Sum("sched_process_cpu_seconds_total", labels) * 1e9,
                static_cast<double>(truth.run_ns), 1);
    EXPECT_NEAR(metrics.Sum("sched_process_runqueue_wait_seconds_total", labels) * 1e9,
                static_cast<double>(truth.wait_ns), 1);
    EXPECT_EQ(metrics.Sum("sched_process_timeslices_total", labels),
              static_cast<double>(truth.timeslices));
  }
  end.Open();
  for (const pid_t rival : rivals) {
    kill(rival, SIGCONT);
    Wait(rival);
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
