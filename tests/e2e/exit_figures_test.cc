// The figures in an exit's line of the stream are the process's last, to the nanosecond.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <ctime>
#include <memory>

#include "tests/support/argv.h"
#include "tests/support/event_stream.h"
#include "tests/support/exporter.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;

std::int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// What the stream told of an exit.
struct ExitLine {
  bool found = false;
  std::int64_t run_ns = 0;
  std::int64_t wait_ns = 0;
  std::int64_t lifetime_ns = 0;
};

ExitLine ExitLineOf(const json& event) {
  const auto ns = [&](const char* key) {
    return static_cast<std::int64_t>(std::llround(event.at(key).get<double>() * 1e9));
  };
  return {true, ns("run_seconds"), ns("wait_seconds"), ns("lifetime_seconds")};
}

/// A child after its end, which its parent has not taken notice of until the line was there.
struct Outcome {
  ExitLine line;
  SchedStat leader;             ///< The kernel's figures of the leader.
  std::int64_t usage_us = 0;    ///< wait4's, of all threads.
  std::int64_t longest_ns = 0;  ///< From before fork until its end was seen.
};

class ExitFigures : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Exporter::Start({"events: {output: file, file: " + file_ + "}\n", {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  ExitLine FindExit(pid_t pid) const {
    const std::string text = ReadFile(file_);
    const auto events = ParseEvents(text.substr(0, text.rfind('\n') + 1));
    EXPECT_TRUE(events) << events.error().message;
    for (const json& event : events ? *events : std::vector<json>()) {
      if (event.value("pid", 0) == pid && event.at("event") == "exit") {
        return ExitLineOf(event);
      }
    }
    return {};
  }

  Outcome Run(std::vector<std::string> command) const {
    command.insert(command.begin(), {ChildProgram(), "-1"});
    Outcome outcome;
    const std::int64_t begin = NowNs();
    // Not by fork(): ThreadSanitizer would start a thread in the child, before exec.
    pid_t pid = -1;
    EXPECT_EQ(
        posix_spawn(&pid, command[0].c_str(), nullptr, nullptr, Argv(command).data(), environ), 0);
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    outcome.longest_ns = NowNs() - begin;
    WaitUntil(
        [&] {
          outcome.line = FindExit(pid);
          return outcome.line.found;
        },
        std::chrono::seconds(15));
    // Its last switch is over, since the line is there: nothing changes any more.
    outcome.leader = ReadSchedStat(pid);
    rusage usage{};
    int status = 0;
    EXPECT_EQ(wait4(pid, &status, 0, &usage), pid);
    outcome.usage_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return outcome;
  }

  const TempDirectory directory_;
  const std::string file_ = directory_.path() + "/events.json";
  std::unique_ptr<Exporter> exporter_;
};

/// wait4 has no more of a thread than it had used when it was released, which comes before its last
/// switch (__exit_signal() in kernel/exit.c): what it uses in between is in the line alone.
void ExpectRunTime(const Outcome& outcome, int released_threads) {
  constexpr std::int64_t kLastStepsNs = 2'000'000;
  ASSERT_TRUE(outcome.line.found) << "no line";
  // The kernel cuts user and system time to microseconds, each.
  const std::int64_t run_ns = outcome.line.run_ns;
  EXPECT_GE(run_ns, outcome.usage_us * 1000);
  EXPECT_LT(run_ns, (outcome.usage_us + 2) * 1000 + released_threads * kLastStepsNs);
}

TEST_F(ExitFigures, OfOneThreadAreTheKernels) {
  constexpr std::int64_t kBurnNs = 50'000'000;
  const Outcome outcome = Run({"burn", "50"});
  ASSERT_NO_FATAL_FAILURE(ExpectRunTime(outcome, 0));
  EXPECT_EQ(outcome.line.run_ns, static_cast<std::int64_t>(outcome.leader.run_ns));
  EXPECT_EQ(outcome.line.wait_ns, static_cast<std::int64_t>(outcome.leader.wait_ns));
  EXPECT_GE(outcome.line.lifetime_ns, kBurnNs);
  EXPECT_LE(outcome.line.lifetime_ns, outcome.longest_ns);
}

TEST_F(ExitFigures, OfThreadsAreTheSum) {
  constexpr int kThreads = 4;
  constexpr std::int64_t kBurnNs = 30'000'000;
  const Outcome outcome = Run({"burn", "30", std::to_string(kThreads)});
  ASSERT_NO_FATAL_FAILURE(ExpectRunTime(outcome, kThreads - 1));
  EXPECT_GE(outcome.line.run_ns, kThreads * kBurnNs);
  const std::int64_t wait_ns = outcome.line.wait_ns;
  EXPECT_GE(wait_ns, static_cast<std::int64_t>(outcome.leader.wait_ns));
  EXPECT_LE(wait_ns, kThreads * outcome.longest_ns);
  EXPECT_LE(outcome.line.lifetime_ns, outcome.longest_ns);
}

TEST_F(ExitFigures, OfAProcessThatLosesItsLeaderFirst) {
  for (const char* command : {"threads-exit", "group-exit"}) {
    constexpr std::int64_t kSleepNs = 20'000'000;
    const Outcome outcome = Run({command, "0"});
    ASSERT_NO_FATAL_FAILURE(ExpectRunTime(outcome, 1));
    EXPECT_GE(outcome.line.lifetime_ns, kSleepNs) << "the leader's is not the end";
  }
}

TEST_F(ExitFigures, WaitingForACpuIsWait) {
  constexpr int kRivals = 3;
  Gate end;
  std::vector<pid_t> rivals;
  rivals.reserve(kRivals);
  for (int i = 0; i < kRivals; ++i) {
    rivals.push_back(Fork([&] {
      PinTo(0);
      while (end.step() == 0) {
        Burn(std::chrono::milliseconds(5));
      }
      return true;
    }));
  }
  cpu_set_t all;
  sched_getaffinity(0, sizeof(all), &all);
  PinTo(0);
  const Outcome outcome = Run({"burn", "50"});
  sched_setaffinity(0, sizeof(all), &all);
  end.Open();
  for (const pid_t rival : rivals) {
    Wait(rival);
  }
  ASSERT_NO_FATAL_FAILURE(ExpectRunTime(outcome, 0));
  EXPECT_EQ(outcome.line.wait_ns, static_cast<std::int64_t>(outcome.leader.wait_ns));
  EXPECT_GT(outcome.line.wait_ns, 0);
}

}  // namespace
}  // namespace sched_exporter::test_support
