// Ways to end that are easily told wrong: the OOM killer's, a leader's before its threads, a core
// dump's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "tests/support/argv.h"
#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/memory_controller.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

class Endings : public testing::TestWithParam<CgroupHost> {
 protected:
  void SetUp() override {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + GetParam().hierarchy + "}\n", {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// Starts test_child in the cgroup; its wait status is the truth.
  int Run(const std::vector<std::string>& command, const TestCgroup* other = nullptr) {
    const pid_t pid = fork();
    if (pid == 0) {
      const bool in_place = cgroup_.Add(0) && (other == nullptr || other->Add(0));
      std::string program = ChildProgram();
      std::vector<std::string> words = command;
      words.insert(words.begin(), {program, "-1"});
      if (in_place) {
        execv(program.c_str(), Argv(words).data());
      }
      _exit(126);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    ++ended_;
    return status;
  }

  double Count(const std::string& family, const Labels& labels = {}) const {
    const auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    Labels all = labels;
    all["cgroup"] = cgroup_.label();
    return metrics ? metrics->Sum(family, all) : -1;
  }

  double Exits(const std::string& code) const {
    return Count("sched_cgroup_exits_total", {{"code", code}});
  }

  void ExpectNoOtherExits() const { EXPECT_EQ(Count("sched_cgroup_exits_total"), ended_); }

  std::unique_ptr<Exporter> exporter_;
  const TestCgroup cgroup_{GetParam(), "endings"};
  int ended_ = 0;
};

TEST_P(Endings, OomKillsAgreeWithTheKernelsCount) {
  constexpr int kVictims = 5;
  const auto controllers = MemoryControllers();
  ASSERT_FALSE(controllers.empty()) << "needs the memory controller, of v1 or v2";
  const MemoryController& memory = controllers.front();
  // A process has one place in a hierarchy.
  const bool is_same = memory.host.mount_point == GetParam().mount_point;
  const auto other = is_same ? nullptr : std::make_unique<TestCgroup>(memory.host, "memory");
  const std::string directory = is_same ? cgroup_.directory() : other->directory();
  LimitMemory(memory, directory, 8 << 20);
  for (int i = 0; i < kVictims; ++i) {
    const int status = Run({"eat", "64"}, other.get());
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  // SIGKILL from anybody else is no OOM kill.
  Run({"signal", std::to_string(SIGKILL)}, other.get());
  const std::uint64_t truth = OomKills(directory + "/" + memory.events);
  EXPECT_EQ(truth, static_cast<std::uint64_t>(kVictims));
  EXPECT_EQ(Count("sched_cgroup_oom_kills_total"), static_cast<double>(truth));
  EXPECT_EQ(Exits("SIGKILL"), kVictims + 1);
  ExpectNoOtherExits();
}

TEST_P(Endings, LeaderThatGoesFirstIsNoExit) {
  const int last_thread = Run({"threads-exit", "5"});
  ASSERT_TRUE(WIFEXITED(last_thread));
  EXPECT_EQ(Exits(std::to_string(WEXITSTATUS(last_thread))), 1);
  const int group = Run({"group-exit", "6"});
  ASSERT_TRUE(WIFEXITED(group));
  EXPECT_EQ(Exits("6"), 1);
  Run({"burn", "1", "4"});
  EXPECT_EQ(Exits("0"), 1);
  EXPECT_EQ(Count("sched_cgroup_thread_starts_total"), 1 + 1 + 3);
  ExpectNoOtherExits();
}

TEST_P(Endings, CoreDumpIsItsSignal) {
  // Where the kernel is told to write cores into the working directory, they go with it.
  const TempDirectory directory;
  Gate dumped;
  const pid_t dumper = Fork([&] {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (chdir(directory.path().c_str()) != 0 || setrlimit(RLIMIT_CORE, &unlimited) != 0) {
      return false;
    }
    const int status = Run({"signal", std::to_string(SIGSEGV)});
    dumped.Open(WCOREDUMP(status) ? 1 : 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
  });
  ASSERT_EQ(Wait(dumper), 0);
  ended_ = 1;
  EXPECT_EQ(Exits("SIGSEGV"), 1);
  ExpectNoOtherExits();
  if (dumped.step() == 0) {
    GTEST_SKIP() << "this host writes no cores, see /proc/sys/kernel/core_pattern";
  }
}

TEST_P(Endings, CodesAndSignalsHaveTheirNames) {
  for (const int code : {0, 1, 42, 127, 128, 137, 255}) {
    Run({"exit", std::to_string(code)});
    EXPECT_EQ(Exits(std::to_string(code)), 1) << code;
  }
  for (const int signal : {SIGHUP, SIGKILL, SIGALRM, SIGUSR2, SIGSYS}) {
    Run({"signal", std::to_string(signal)});
    EXPECT_EQ(Exits(std::string("SIG") + sigabbrev_np(signal)), 1) << signal;
  }
  Run({"signal", std::to_string(SIGRTMIN + 3)});
  EXPECT_EQ(Exits("SIGRTMIN+3"), 1);
  ExpectNoOtherExits();
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Endings, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
