// When series of cgroups end, and where their sums go.

#include "tests/support/cgroup_life.h"

namespace sched_exporter::test_support {
namespace {

TEST_P(CgroupLife, SeriesStayAsLongAsTheDirectory) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("idle"));
  ASSERT_EQ(Wait(StartIn(cgroup)), 0);
  ExpectTruth(cgroup);
  const double used = Of(cgroup, "cpu_seconds_total");
  for (int i = 0; i < 5; ++i) {
    Scrape();
    EXPECT_EQ(Of(cgroup, "cpu_seconds_total"), used);
    EXPECT_EQ(Of(cgroup, "threads"), 0);
    EXPECT_TRUE(HasSeries(cgroup));
  }
  ASSERT_TRUE(cgroup.Remove());
  Scrape();
  EXPECT_FALSE(HasSeries(cgroup)) << "the last figures were scraped long ago";
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), used);
  EXPECT_EQ(RemovedIn(parent_.label(), "exits_total"), 2);
}

TEST_P(CgroupLife, SeriesOutliveTheDirectoryByDeadSeries) {
  using Clock = std::chrono::steady_clock;
  Start(std::string(kOnlyScrapes) + "1s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("dead"));
  ASSERT_EQ(Wait(StartIn(cgroup)), 0);
  ExpectTruth(cgroup);
  const Clock::time_point there = Clock::now();
  Scrape();
  ASSERT_TRUE(cgroup.Remove());
  ASSERT_TRUE(WaitUntil([&] {
    Scrape();
    return !HasSeries(cgroup);
  }));
  EXPECT_GE(Clock::now() - there, std::chrono::seconds(1));
}

TEST_P(CgroupLife, LastFiguresAreScrapedBeforeTheyMove) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("short"));
  ASSERT_EQ(Wait(StartIn(cgroup)), 0);
  ASSERT_TRUE(cgroup.Remove());
  // No scrape met it alive.
  Scrape();
  EXPECT_TRUE(HasSeries(cgroup));
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), 0);
  double shown = 0;
  // The event of the last switch may come a moment after the process was reaped.
  ASSERT_TRUE(WaitUntil([&] {
    shown = HasSeries(cgroup) ? Of(cgroup, "cpu_seconds_total") : shown;
    Scrape();
    return !HasSeries(cgroup);
  }));
  // The kernel's figure of the parent, too, holds what was below it.
  const double truth = static_cast<double>(parent_.UsageNs()) / 1e9;
  EXPECT_NEAR(shown, truth, truth * kTolerance);
  EXPECT_DOUBLE_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), shown);
  EXPECT_EQ(RemovedIn(parent_.label(), "exits_total"), 2);
}

TEST_P(CgroupLife, AFoldedCgroupsPastStaysInTheSum) {
  Start("collection: {interval: 5m}\nlimits: {cgroups: 1}\n");
  const CgroupDirectory small(GetParam(), Child("small"));
  const CgroupDirectory large(GetParam(), Child("large"));
  ASSERT_EQ(Wait(StartIn(small)), 0);
  ExpectTruth(small);
  const double past = Of(small, "cpu_seconds_total");
  const auto of_other = [this] { return last_.Sum(Series("execs_total"), {{"cgroup", "other"}}); };
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Wait(StartIn(large)), 0);
  }
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return HasSeries(large) && !HasSeries(small);
  }));
  EXPECT_DOUBLE_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), past);
  // What it uses from now on is in other, until it is the larger one and begins anew.
  const double others = of_other();
  ASSERT_EQ(Wait(StartIn(small)), 0);
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return of_other() >= others + 1;
  }));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Wait(StartIn(small)), 0);
  }
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return HasSeries(small);
  }));
  EXPECT_GT(RemovedIn(parent_.label(), "cpu_seconds_total"), past) << "large was folded";
}

TEST_P(CgroupLife, TheSamePathMadeAgainGoesOn) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("again"));
  double before = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Wait(StartIn(cgroup)), 0);
    EXPECT_TRUE(WaitUntil([&] {
      const double used = static_cast<double>(cgroup.UsageNs()) / 1e9;
      Scrape();
      return std::abs(Of(cgroup, "cpu_seconds_total") - before - used) <= used * kTolerance;
    }));
    before = Of(cgroup, "cpu_seconds_total");
    ASSERT_TRUE(cgroup.Remove());
    ASSERT_TRUE(cgroup.MakeAgain());
  }
  // Once its series have ended, it begins anew.
  ASSERT_TRUE(cgroup.Remove());
  Scrape();
  EXPECT_FALSE(HasSeries(cgroup));
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), before);
  ASSERT_TRUE(cgroup.MakeAgain());
  ASSERT_EQ(Wait(StartIn(cgroup)), 0);
  ExpectTruth(cgroup);
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), before);
}

TEST_P(CgroupLife, SumsMoveUpWithEachRemoval) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory pod(GetParam(), Child("pod"));
  const CgroupDirectory container(GetParam(), Child("pod/container"));
  ASSERT_EQ(Wait(StartIn(container)), 0);
  ExpectTruth(container);
  const double used = Of(container, "cpu_seconds_total");
  ASSERT_TRUE(container.Remove());
  Scrape();
  EXPECT_EQ(RemovedIn(pod.label(), "cpu_seconds_total"), used);
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), 0);
  ASSERT_TRUE(pod.Remove());
  Scrape();
  EXPECT_EQ(last_.Count(Removed("cpu_seconds_total"), {{"cgroup", pod.label()}}), 0U);
  EXPECT_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), used);
  EXPECT_EQ(RemovedIn(parent_.label(), "exits_total"), 2);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, CgroupLife, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
