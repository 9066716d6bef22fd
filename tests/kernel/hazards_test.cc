#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;

constexpr double kAgreement = 0.001;
const int kScrapes = ShareOfLoad(100, 10);

class Hazard : public testing::TestWithParam<CgroupHost> {
 protected:
  void SetUp() override {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + GetParam().hierarchy + "}\n", {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
    cgroup_ = std::make_unique<TestCgroup>(GetParam(), "hazard");
  }

  /// In a child: waits for two scrapes, the second of which began after the call.
  void AwaitScrape() const { scrapes_.WaitFor(scrapes_.step() + 2); }

  /// Runs `body` in the fresh cgroup, scraping all the while: at least kScrapes times, and no
  /// counter may go back. `on_scrape` sees each scrape.
  void Run(const std::function<bool()>& body) {
    child_ = ForkMoved([&](pid_t pid) { return cgroup_->Add(pid); }, body);
    int status = 0;
    bool ended = false;
    for (int i = 0; i < kScrapes || !ended; ++i) {
      Scrape();
      ended = ended || waitpid(child_, &status, WNOHANG) == child_;
      std::this_thread::sleep_for(milliseconds(5));
    }
    ASSERT_EQ(status, 0);
    Scrape();
  }

  void Scrape() {
    auto next = exporter_->Scrape();
    ASSERT_TRUE(next) << next.error().message;
    for (const std::string& line : BackwardCounters(last_, *next)) {
      ADD_FAILURE() << "went back: " << line;
    }
    last_ = std::move(*next);
    scrapes_.Open(scrapes_.step() + 1);
  }

  double CgroupSeconds(const TestCgroup& cgroup) const {
    return last_.Sum("sched_cgroup_cpu_seconds_total", {{"cgroup", cgroup.label()}});
  }

  /// `in_moves_seconds`: what may be billed to either of two cgroups.
  void ExpectAgreement(const TestCgroup& cgroup, double in_moves_seconds = 0) {
    double ours = 0;
    double kernel = 0;
    // A child that was waited for may have its last switch to come, which tells all that it used.
    EXPECT_TRUE(WaitUntil([&] {
      Scrape();
      kernel = static_cast<double>(cgroup.UsageNs()) / 1e9;
      ours = CgroupSeconds(cgroup);
      return kernel > 0 && std::abs(ours - kernel) <= kernel * kAgreement + in_moves_seconds;
    })) << ours
        << " s, by the kernel " << kernel;
  }

  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<TestCgroup> cgroup_;
  std::atomic<pid_t> child_ = 0;  ///< Read by threads of the tests.
  MetricsText last_;
  Gate scrapes_;  ///< How many there were.
};

/// exec of another program, which uses CPU time for a while.
void BecomeBusyShell() {
  const std::string count = std::to_string(ShareOfLoad(400'000, 20'000));
  const std::string script = "i=0; while [ $i -lt " + count + " ]; do i=$((i+1)); done";
  execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
}

TEST_P(Hazard, ThreadThatIsNotTheLeaderCallsExec) {
  Run([] {
    std::thread([] {
      Burn(milliseconds(900));
      BecomeBusyShell();
    }).detach();
    Burn(milliseconds(400));
    pause();
    return false;
  });
  ExpectAgreement(*cgroup_);
}

TEST_P(Hazard, LeaderThatUsedMoreThanTheThreadThatCallsExec) {
  Run([] {
    Burn(milliseconds(900));
    std::thread([] {
      Burn(milliseconds(100));
      BecomeBusyShell();
    }).detach();
    pause();
    return false;
  });
  ExpectAgreement(*cgroup_);
}

TEST_P(Hazard, LeaderExitsAndThreadsBurnOn) {
  Run([] {
    static std::atomic<int> burning{3};
    for (int i = 0; i < 3; ++i) {
      std::thread([] {
        Burn(milliseconds(500));
        if (--burning == 0) {
          _exit(0);  // a sanitizer's own thread would keep the process alive
        }
      }).detach();
    }
    Burn(milliseconds(200));
    syscall(SYS_exit, 0);  // this thread only, and without C++'s unwinding
    return true;
  });
  ExpectAgreement(*cgroup_);
}

TEST_P(Hazard, FiveThousandThreadsComeAndGo) {
  Run([] {
    for (int i = 0; i < ShareOfLoad(500); ++i) {
      std::vector<std::thread> threads;
      for (int j = 0; j < 10; ++j) {
        threads.emplace_back([] { Burn(milliseconds(0)); });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
    }
    return true;
  });
  ExpectAgreement(*cgroup_);
}

/// Forks until the child has the wanted pid, which must be free.
pid_t ForkWithPid(pid_t wanted, const std::function<bool()>& body) {
  for (int i = 0; i < 1000; ++i) {
    std::ofstream("/proc/sys/kernel/ns_last_pid") << wanted - 1;
    const pid_t pid = Fork([&] { return getpid() != wanted || body(); });
    if (pid == wanted) {
      return pid;
    }
    Wait(pid);
  }
  return -1;
}

TEST_P(Hazard, PidIsUsedAgain) {
  Run([] {
    const pid_t first = Fork([] {
      Burn(milliseconds(500));
      return true;
    });
    Wait(first);
    for (int i = 0; i < 5; ++i) {
      const pid_t again = ForkWithPid(first, [] {
        Burn(milliseconds(60));
        return true;
      });
      if (again != first || Wait(again) != 0) {
        return false;
      }
    }
    return true;
  });
  ExpectAgreement(*cgroup_);
}

TEST_P(Hazard, RunningTaskIsMovedToAnotherCgroup) {
  const TestCgroup second(GetParam(), "second");
  Gate moved;
  std::chrono::duration<double> move_took{};
  std::thread mover([&] {
    std::this_thread::sleep_for(milliseconds(700));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(second.Add(child_));
    move_took = std::chrono::steady_clock::now() - begin;
    moved.Open();
  });
  Run([&] {
    while (moved.step() == 0) {
      Burn(milliseconds(1));
    }
    Burn(milliseconds(700));
    return true;
  });
  mover.join();
  // Together they are exact. Where the mover loses its CPU between the move and its event, the task
  // may lose its own before we hear of it: its last slice is then in the new cgroup.
  // Where a CPU is emulated, it stands still for as long as its host likes.
  const double slice_seconds = IsEmulated() ? move_took.count() : 0.004;
  const double former = static_cast<double>(cgroup_->UsageNs()) / 1e9;
  const double latter = static_cast<double>(second.UsageNs()) / 1e9;
  EXPECT_NEAR((CgroupSeconds(*cgroup_) + CgroupSeconds(second)) / (former + latter), 1, kAgreement);
  EXPECT_NEAR(CgroupSeconds(*cgroup_), former, former * kAgreement + slice_seconds);
  EXPECT_NEAR(CgroupSeconds(second), latter, latter * kAgreement + slice_seconds);
}

TEST_P(Hazard, TaskMovesItselfBackAndForth) {
  const TestCgroup second(GetParam(), "second");
  // In a move it is in the new cgroup before the exporter hears of it; where a CPU is emulated,
  // that may take long.
  volatile long* const in_moves_ns = SharedCounter();
  Run([&] {
    for (int i = 0; i < 20; ++i) {
      Burn(milliseconds(40));
      const std::uint64_t before = ThreadCpuNs();
      if (!(i % 2 == 0 ? second : *cgroup_).Add(0)) {
        return false;
      }
      *in_moves_ns = *in_moves_ns + static_cast<long>(ThreadCpuNs() - before);
    }
    return true;
  });
  const double in_moves_seconds = IsEmulated() ? static_cast<double>(*in_moves_ns) / 1e9 : 0;
  ExpectAgreement(*cgroup_, in_moves_seconds);
  ExpectAgreement(second, in_moves_seconds);
}

TEST_P(Hazard, ProcessIsRenamed) {
  Gate step;
  int pipe_fds[2];
  ASSERT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
  const std::string before = "before" + std::to_string(getpid());
  const std::string after = "after" + std::to_string(getpid());
  std::uint64_t truth_ns = 0;
  std::thread reader([&] {
    step.WaitFor(1);
    // The child sleeps now: this is its whole time, but for its way out, which its cgroup has.
    truth_ns = ReadProcessSchedStat(child_).run_ns;
    step.Open(2);
  });
  Run([&] {
    SetComm(before);
    sched_yield();  // brings the kernel's figure up to date
    const std::uint64_t nameless_ns = ReadProcessSchedStat(getpid()).run_ns;
    if (write(pipe_fds[1], &nameless_ns, sizeof(nameless_ns)) != sizeof(nameless_ns)) {
      return false;
    }
    Burn(milliseconds(500));
    // What no scrape has seen when it gets another name is in that one.
    AwaitScrape();
    SetComm(after);
    Burn(milliseconds(500));
    step.Open(1);
    step.WaitFor(2);
    return true;
  });
  reader.join();
  // What it used before it had a name may be in its first name or in ours.
  std::uint64_t nameless_ns = 0;
  ASSERT_EQ(read(pipe_fds[0], &nameless_ns, sizeof(nameless_ns)),
            static_cast<ssize_t>(sizeof(nameless_ns)));
  ExpectAgreement(*cgroup_);
  const double before_ns = 1e9 * last_.Sum("sched_group_cpu_seconds_total", {{"group", before}});
  const double after_ns = 1e9 * last_.Sum("sched_group_cpu_seconds_total", {{"group", after}});
  EXPECT_GT(before_ns, 400e6);
  EXPECT_GT(after_ns, 400e6);
  EXPECT_GE(before_ns + after_ns, static_cast<double>(truth_ns - nameless_ns) * (1 - kAgreement));
  EXPECT_LE(before_ns + after_ns, static_cast<double>(cgroup_->UsageNs()) * (1 + kAgreement) +
                                      static_cast<double>(nameless_ns));
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Hazard, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
