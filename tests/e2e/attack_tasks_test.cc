// Hosts on which tasks are the attack: a fork bomb, 100,000 tasks, and processes that are gone
// before anybody has read what they were.

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/attack.h"
#include "tests/support/cgroup.h"
#include "tests/support/lifecycle_truth.h"
#include "tests/support/pids_limit.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostileTasks : public UnderAttack {
 protected:
  MetricsText Scrape() const {
    const auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    return scrape ? *scrape : MetricsText();
  }
};

/// Forks as often as it can; where there is no room it ends, so that others can. The first process
/// never ends.
void Explode() {
  const pid_t first = getpid();
  while (true) {
    if (fork() == -1 && getpid() != first) {
      _exit(0);
    }
  }
}

TEST_F(HostileTasks, AForkBombInACgroupWithFewPids) {
  constexpr int kMostPids = 2'000;
  const PidsLimit bomb_cgroup("bomb", kMostPids);
  if (!bomb_cgroup.is_there()) {
    GTEST_SKIP() << "no pids controller";
  }
  const std::string comm = "bomb" + std::to_string(getpid() % 100'000);
  Start("process_names: [{name: bomb, comm: [" + comm + "]}]\n");
  Begin();
  Gate named;
  const pid_t bomb = Fork([&] {
    SetComm(comm);
    signal(SIGCHLD, SIG_IGN);  // nobody reaps them
    if (!bomb_cgroup.Enter()) return false;
    named.WaitFor();
    Explode();
    return false;
  });
  const auto of_bomb = [this](const std::string& what) {
    return Scrape().Sum("sched_group_" + what, {{"group", "bomb"}});
  };
  // From then on what it forks is this group's.
  EXPECT_TRUE(WaitUntil([&] { return of_bomb("processes") == 1; }));
  named.Open();
  AwaitScrapes(IsSanitized() ? 10 : 100);
  EXPECT_TRUE(WaitUntil([&] { return of_bomb("forks_total") > kMostPids; })) << "it goes on";
  bomb_cgroup.KillAll();
  Wait(bomb);
  // Each that was forked has ended, and the first one, whose own fork was another group's.
  double forks = 0;
  double exits = 0;
  EXPECT_TRUE(WaitUntil([&] {
    forks = of_bomb("forks_total");
    exits = of_bomb("exits_total");
    return of_bomb("processes") == 0 && exits == forks + 1;
  })) << exits
      << " exits, " << forks << " forks";
  EndOf("a fork bomb in a cgroup with 2,000 pids (" + std::to_string(static_cast<int>(forks)) +
        " forks)");
}

/// Room for so many pids on this host while it lives.
class PidMax {
 public:
  explicit PidMax(int least) {
    std::ifstream(kPath) >> before_;
    std::ofstream(kPath) << std::max(least, before_) << std::flush;
  }
  ~PidMax() { std::ofstream(kPath) << before_ << std::flush; }
  PidMax(const PidMax&) = delete;
  PidMax& operator=(const PidMax&) = delete;

 private:
  static constexpr const char* kPath = "/proc/sys/kernel/pid_max";
  int before_ = 0;
};

TEST_F(HostileTasks, AHundredThousandAlive) {
  const int kTasks = IsSanitized() ? 10'000 : 100'000;
  const PidMax room(400'000);
  const PidsLimit cgroup("sleepers", 2 * kTasks);
  Start();
  Begin();
  const std::size_t processes = Scrape().Count("sched_process_threads");
  Gate end;
  const pid_t sleepers = Fork([&] {
    return cgroup.is_there() && cgroup.Enter() && Wait(StartSleepingThreads(kTasks, end)) == 0;
  });
  MetricsText last;
  // Where compilers run beside it they take a while.
  EXPECT_TRUE(WaitUntil(
      [&] {
        last = Scrape();
        return last.Sum("sched_exporter_tasks") >= kTasks;
      },
      std::chrono::seconds(200)));
  AwaitScrapes(10);
  // Limits are for processes, groups and cgroups, of which there are few.
  EXPECT_GE(last.Count("sched_process_threads"), std::min<std::size_t>(processes, 900));
  EXPECT_EQ(last.Sum("sched_exporter_folded_series", {{"view", "group"}}), 0);
  EXPECT_EQ(last.Sum("sched_exporter_folded_series", {{"view", "cgroup"}}), 0);
  EXPECT_GE(last.Sum("sched_process_threads"), kTasks);
  EXPECT_EQ(last.Sum("sched_process_threads"), last.Sum("sched_group_threads"));
  end.Open();
  EXPECT_EQ(Wait(sleepers), 0);
  EXPECT_TRUE(WaitUntil([&] { return Scrape().Sum("sched_exporter_tasks") < kTasks / 2; }));
  EndOf(std::to_string(kTasks) + " tasks");
}

TEST_F(HostileTasks, ProcessesThatAreGoneBeforeTheyAreRead) {
  const CgroupHost host = TestableHierarchies().at(0);
  const TestCgroup cgroup(host, "vanish");
  // Programs and command lines of all that appear are wanted.
  Start("cgroup: {hierarchy: " + host.hierarchy +
        "}\nprocess_names:\n"
        "  - {name: never, exe: [/nonexistent], cmdline: ['nobody has this']}\n"
        "  - {name: storm, cgroup: ['^" +
        cgroup.label() + "'], cmdline: ['.']}\n");
  const auto lines = [this] {
    const std::string log = exporter_->Log();
    return std::count(log.begin(), log.end(), '\n');
  };
  Begin();
  const auto lines_before = lines();
  Starter storm({.children = IsSanitized() ? 2'000 : 20'000, .cgroups = {cgroup.directory()}});
  const auto report = storm.Run();
  ASSERT_TRUE(report) << report.error().message;
  std::vector<std::string> differences;
  const auto of_storm = [](const MetricsText& metrics, const std::string& what) {
    return metrics.Sum("sched_group_" + what, {{"group", "storm"}});
  };
  MetricsText last;
  EXPECT_TRUE(WaitUntil([&] {
    last = Scrape();
    differences = CgroupDifferences(last, cgroup.label(), {*report});
    return differences.empty();
  }));
  EXPECT_THAT(differences, IsEmpty());
  EXPECT_EQ(of_storm(last, "execs_total"), static_cast<double>(report->counts.Execs()));
  EXPECT_EQ(of_storm(last, "exits_total"), static_cast<double>(report->counts.Exits()));
  EXPECT_EQ(of_storm(last, "forks_total"), static_cast<double>(report->counts.forks));
  EXPECT_LE(lines() - lines_before, 5) << exporter_->Log().substr(0, 2'000);
  EndOf(std::to_string(report->children.size()) + " processes that live for a moment");
}

/// It has 22 threads with the first one, and serves with all of them or not at all.
TEST(TooFewTasks, AreToldBeforeAnythingIsServed) {
  const auto pids = HierarchiesWith("pids");
  if (pids.empty()) {
    GTEST_SKIP() << "no pids controller";
  }
  const TestCgroup cgroup(pids.front(), "tasks");
  const std::string enter = "echo $$ > " + cgroup.directory() + "/cgroup.procs; exec \"$@\"";
  const auto start = [&](int most) {
    std::ofstream(cgroup.directory() + "/pids.max") << most << std::flush;
    return Exporter::Start({{}, {}, {"sh", "-ec", enter, "sh"}});
  };
  for (const int few : {1, 2, 3, 4, 5, 6, 12, 20, 21}) {
    const auto exporter = start(few);
    ASSERT_FALSE(exporter) << few;
    EXPECT_THAT(exporter.error().message,
                HasSubstr("no thread can be started; raise the limit on tasks"))
        << few;
  }
  EXPECT_TRUE(start(40));
}

}  // namespace
}  // namespace sched_exporter::test_support
