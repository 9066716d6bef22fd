// Restarts without loss: what happens while no exporter runs, or while one dies, is in the counters
// of the next one. Truth is what starters count of themselves and the kernel's figures of cgroups.

#include "tests/support/persistence.h"

#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Starters for a thread of their own, one after the other as long as it takes. They are prepared
/// by the thread that forks other things, too.
class StormQueue {
 public:
  explicit StormQueue(std::string cgroup) : cgroup_(std::move(cgroup)) {}

  /// Sees to it that the next one is ready.
  void Prepare() {
    if (const std::lock_guard lock(mutex_); next_ < starters_.size()) {
      return;
    }
    auto starter =
        std::make_unique<Starter>(Starter::Options{.children = 500, .cgroups = {cgroup_}});
    ASSERT_TRUE(starter->Prepare());
    const std::lock_guard lock(mutex_);
    starters_.push_back(std::move(starter));
    ready_.notify_one();
  }
  void End() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    ready_.notify_one();
  }

  /// Waits for one; null at the end. Valid as long as this.
  Starter* Next() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return over_ || next_ < starters_.size(); });
    return over_ ? nullptr : starters_[next_++].get();
  }

 private:
  std::string cgroup_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<std::unique_ptr<Starter>> starters_;
  std::size_t next_ = 0;
  bool over_ = false;
};

TEST_F(PersistenceTest, KilledAtRandomMomentsUnderAStormNothingIsLost) {
  const int kills = IsSanitized() ? 20 : 200;
  std::mt19937 random(20261122);
  const auto up_to = [&](int ms) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int>(0, ms)(random));
  };
  ASSERT_NO_FATAL_FAILURE(Start());
  Scrape();
  StormQueue storms(cgroup_->directory());
  std::thread storm([&] {
    while (Starter* const starter = storms.Next()) {
      Run(*starter);
    }
  });
  for (int i = 0; i < kills && !HasFatalFailure(); ++i) {
    storms.Prepare();
    if (i % 2 == 0) {
      // One that serves, and is scraped while it dies.
      std::this_thread::sleep_for(up_to(100));
      Scrape();
      std::this_thread::sleep_for(up_to(5));
      exporter_->End(SIGKILL);
    } else {
      // One that may not have come so far.
      StartAndKillAfter(up_to(100));
      Start();
    }
  }
  storms.End();
  storm.join();
  if (exporter_->pid() < 0) {
    Start();
  }
  ExpectAgreement();
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr("begin at 0")));
  RecordProperty("kills", kills);
  RecordProperty("storms", static_cast<int>(reports_.size()));
}

TEST_F(PersistenceTest, WhatHappensWhileNoneRunsIsCounted) {
  ASSERT_NO_FATAL_FAILURE(Start());
  Scrape();
  Starter before({.children = 300, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(before));
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  Starter away({.children = 300, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(away));
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_THAT(exporter_->Log(), HasSubstr("goes on with the programs"));
  ExpectAgreement();
  EXPECT_THAT(GroupDifferences(last_, before.comm(), reports_[0]), IsEmpty());
  EXPECT_THAT(GroupDifferences(last_, away.comm(), reports_[1]), IsEmpty());
}

TEST_F(PersistenceTest, WhatOverflowsWhileNoneRunsIsInSums) {
  Configure("maps: {events_bytes: 4096}\n");
  ASSERT_NO_FATAL_FAILURE(Start());
  Scrape();
  exporter_->End(SIGKILL);
  Starter away({.children = 2'000, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(away));
  ASSERT_NO_FATAL_FAILURE(Start());
  // Of a move that had no room nobody knows what was used before it: the starter's own, at its
  // start.
  ExpectAgreement(0.02);
  EXPECT_GT(last_.Sum("sched_exporter_lost_events_total"), 0) << "nothing overflowed";
  EXPECT_THAT(GroupDifferences(last_, away.comm(), reports_[0]), IsEmpty());
}

TEST_F(PersistenceTest, WhatHasNoRoomAtAllIsUnattributed) {
  Configure("maps: {events_bytes: 4096, sums: 1}\n");
  ASSERT_NO_FATAL_FAILURE(Start());
  Scrape();
  const double before = last_.Sum("sched_unattributed_cpu_seconds_total");
  exporter_->End(SIGKILL);
  Starter away({.children = 2'000, .names = 50, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(away));
  const double usage = static_cast<double>(cgroup_->UsageNs()) / 1e9;
  ASSERT_NO_FATAL_FAILURE(Start());
  // What the cgroup used is in its series, or in nobody's.
  const auto unattributed = [&] {
    return last_.Sum("sched_unattributed_cpu_seconds_total") - before;
  };
  WaitUntil(
      [&] {
        Scrape();
        return CpuOfCgroup(last_) + unattributed() >= usage * (1 - kCpuTolerance);
      },
      kSumsPatience);
  EXPECT_GT(unattributed(), 0);
  EXPECT_GE(CpuOfCgroup(last_) + unattributed(), usage * (1 - kCpuTolerance));
  EXPECT_GE(last_.Sum("sched_cgroup_exits_total", {{"cgroup", cgroup_->label()}}) +
                last_.Sum("sched_cgroup_exits_total", {{"cgroup", "other"}}),
            static_cast<double>(reports_[0].counts.Exits()));
}

TEST_F(PersistenceTest, GroupsByRulesAndTheirChildrenStay) {
  Configure("process_names: [{name: storm, cgroup: ['^" + cgroup_->label() + "']}]\n");
  ASSERT_NO_FATAL_FAILURE(Start());
  Starter first({.children = 100, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(first));
  Scrape();
  exporter_->End(SIGKILL);
  Starter away({.children = 100, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(away));
  ASSERT_NO_FATAL_FAILURE(Start());
  ExpectAgreement();
  const double exits = static_cast<double>(reports_[0].counts.Exits() + reports_[1].counts.Exits());
  EXPECT_EQ(last_.Sum("sched_group_exits_total", {{"group", "storm"}}), exits);
}

TEST_F(PersistenceTest, DetachRemovesEverythingUnlessAnExporterRuns) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const Ended refused = Detach();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("another sched_exporter keeps its totals in " + State()));
  exporter_->End(SIGTERM);
  const Ended removed = Detach();
  EXPECT_EQ(removed.exit_code, 0) << removed.output;
  EXPECT_THAT(removed.output, HasSubstr("removed what was pinned in " + pins_));
  EXPECT_NE(access(pins_.c_str(), F_OK), 0);
  EXPECT_THAT(Detach().output, HasSubstr("nothing is pinned in " + pins_));
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr("level=warn")));
}

TEST_F(PersistenceTest, ASecondExporterIsRefused) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto second = Exporter::Start({"", Arguments(), {}});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("another sched_exporter keeps its totals in " + State()));
}

TEST_F(PersistenceTest, OtherOptionsWaitForDetach) {
  ASSERT_NO_FATAL_FAILURE(Start());
  Scrape();
  exporter_->End(SIGTERM);
  Configure("maps: {tasks: 1000}\n");
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_THAT(exporter_->Log(), HasSubstr("maps.tasks differs from what the pinned programs were "
                                          "loaded with; it takes effect after `sched_exporter "
                                          "detach`"));
  EXPECT_EQ(Scrape().Sum("sched_exporter_map_max_entries", {{"map", "tasks"}}), 16'384);
}

}  // namespace
}  // namespace sched_exporter::test_support
