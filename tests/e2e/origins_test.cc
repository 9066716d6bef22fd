// To whom a fork, an exec that fails or an exit is counted where that isn't the task that did it:
// threads with names of their own, children that are the caller's siblings or born into another
// cgroup.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

constexpr char kLeader[] = "origin_leader";
constexpr char kThread[] = "origin_thread";

class Origins : public testing::TestWithParam<CgroupHost> {
 protected:
  void SetUp() override {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + GetParam().hierarchy + "}\n", {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// Runs `body` in a process named kLeader in the cgroup, to its end.
  void Run(const std::function<bool()>& body) const {
    const pid_t pid = Fork([&] {
      SetComm(kLeader);
      return cgroup_.Add(0) && body();
    });
    ASSERT_EQ(Wait(pid), 0);
  }

  double Sum(const std::string& family, const Labels& labels) const {
    const auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics ? metrics->Sum(family, labels) : -1;
  }
  double OfGroup(const std::string& what, const std::string& group) const {
    return Sum("sched_group_" + what, {{"group", group}});
  }
  double OfCgroup(const std::string& what, const TestCgroup& cgroup) const {
    return Sum("sched_cgroup_" + what, {{"cgroup", cgroup.label()}});
  }

  std::unique_ptr<Exporter> exporter_;
  const TestCgroup cgroup_{GetParam(), "origins"};
};

/// Does `body` in a thread with a name of its own.
void InNamedThread(const std::function<void()>& body) {
  std::thread([&] {
    SetComm(kThread);
    body();
  }).join();
}

TEST_P(Origins, ThreadsWithNamesOfTheirOwnCountForTheirProcess) {
  Run([] {
    bool reaped = false;
    InNamedThread([&] {
      const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
      if (pid == 0) {
        _exit(3);
      }
      reaped = Wait(pid) == 3;
    });
    char* argv[] = {nullptr};
    InNamedThread([&] { execv("/nonexistent", argv); });
    return reaped;
  });
  EXPECT_EQ(OfGroup("forks_total", kLeader), 1);
  EXPECT_EQ(OfGroup("exec_failures_total", kLeader), 1);
  EXPECT_GE(OfGroup("thread_starts_total", kLeader), 2) << "a sanitizer may add its own";
  for (const char* what : {"forks_total", "exec_failures_total", "thread_starts_total"}) {
    EXPECT_EQ(OfGroup(what, kThread), 0) << what;
  }
  // The child begins with the name of the task that it was copied from.
  EXPECT_EQ(OfGroup("exits_total", kThread), 1);
  EXPECT_EQ(OfGroup("exits_total", kLeader), 1);
}

/// clone3, whose child exits with `code` at once.
pid_t Clone(clone_args arguments, int code) {
  arguments.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid == 0) {
    _exit(code);
  }
  return pid;
}

TEST_P(Origins, SiblingByCloneParentIsTheCallersFork) {
  int status = 0;
  const pid_t caller = Fork([&] {
    SetComm(kLeader);
    clone_args arguments{};
    arguments.flags = CLONE_PARENT;
    const bool entered = cgroup_.Add(0);
    const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (pid == 0) {
      _exit(4);
    }
    return entered && pid > 0;
  });
  ASSERT_EQ(Wait(caller), 0);
  // It is this process's child.
  ASSERT_GT(waitpid(-1, &status, __WALL), 0);
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_EQ(OfGroup("forks_total", kLeader), 1);
  EXPECT_EQ(OfCgroup("forks_total", cgroup_), 1);
  EXPECT_EQ(OfCgroup("exits_total", cgroup_), 2);
}

/// CLONE_INTO_CGROUP knows v2 only.
class OriginsInV2 : public Origins {};

TEST_P(OriginsInV2, ChildBornIntoAnotherCgroupIsForkedInTheCallers) {
  const TestCgroup other(GetParam(), "birthplace");
  Run([&] {
    const UniqueFd directory(open(other.directory().c_str(), O_PATH | O_CLOEXEC));
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<__u64>(directory.get());
    return Wait(Clone(arguments, 5)) == 5;
  });
  EXPECT_EQ(OfCgroup("forks_total", cgroup_), 1);
  EXPECT_EQ(OfCgroup("forks_total", other), 0);
  EXPECT_EQ(OfCgroup("exits_total", cgroup_), 1);
  EXPECT_EQ(OfCgroup("exits_total", other), 1);
}

TEST_P(Origins, NamesAreThoseOfTheMoment) {
  Run([] {
    const bool before = Wait(Fork([] { return true; })) == 0;
    SetComm("origin_renamed");
    return Wait(Fork([] { return true; })) == 0 && before;
  });
  EXPECT_EQ(OfGroup("forks_total", kLeader), 1);
  EXPECT_EQ(OfGroup("forks_total", "origin_renamed"), 1);
  EXPECT_EQ(OfGroup("exits_total", kLeader), 1);
  EXPECT_EQ(OfGroup("exits_total", "origin_renamed"), 2);
}

std::vector<CgroupHost> V2() {
  std::vector<CgroupHost> hosts = TestableHierarchies();
  std::erase_if(hosts, [](const CgroupHost& host) { return host.hierarchy != "v2"; });
  return hosts;
}

/// Several threads call exec at once: one succeeds, and the others are killed while they wait,
/// which is no failure that anybody could see.
TEST_P(Origins, ExecsThatAnotherThreadsExecEndsDoNotFail) {
  constexpr int kProcesses = 100;
  constexpr int kThreads = 4;
  Run([] {
    for (int i = 0; i < kProcesses; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        const auto exec = [] { execl("/bin/true", "origin_true", nullptr); };
        for (int thread = 1; thread < kThreads; ++thread) {
          std::thread(exec).detach();
        }
        exec();
      }
      if (Wait(pid) != 0) {
        return false;
      }
    }
    return true;
  });
  EXPECT_EQ(OfCgroup("execs_total", cgroup_), kProcesses);
  EXPECT_EQ(OfCgroup("exec_failures_total", cgroup_), 0);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, OriginsInV2, testing::ValuesIn(V2()),
                         [](const auto& host) { return host.param.hierarchy; });

INSTANTIATE_TEST_SUITE_P(Hierarchies, Origins, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
