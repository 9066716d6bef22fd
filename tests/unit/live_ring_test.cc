#include "exporter/live/live_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sched_exporter {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kBegin = 100 * kSecond;

NamedRow Group(const std::string& name, std::uint64_t cpu_ns, std::uint64_t starts = 0) {
  NamedRow row;
  row.name = name;
  row.totals.user_ns = cpu_ns / 2;
  row.totals.system_ns = cpu_ns - cpu_ns / 2;
  row.totals.wait_ns = 2 * cpu_ns;
  row.totals.timeslices = cpu_ns / 1000;
  row.totals.voluntary_switches = cpu_ns / 1000;
  row.lifecycle.execs = starts;
  return row;
}

ProcessRow Process(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t cpu_ns) {
  ProcessRow row;
  row.pid = pid;
  row.comm = "p";
  row.group = "g";
  row.population = {1, 1, start_ns};
  row.totals.user_ns = cpu_ns;
  row.totals.timeslices = cpu_ns / 1000;
  return row;
}

LiveMoment At(std::uint64_t seconds) { return {kBegin + seconds * kSecond, 0, 2, "host"}; }

const LiveRow* Find(const LiveView& view, LiveViewKind kind, const std::string& name) {
  for (const LiveRow& row : view.table(kind).rows) {
    if (row.name == name) {
      return &row;
    }
  }
  return nullptr;
}

float CpuOfGroup(const LiveView& view, const std::string& name) {
  const LiveRow* const row = Find(view, LiveViewKind::kGroup, name);
  return row == nullptr ? -1 : row->rates.cpu;
}

Report Groups(std::vector<NamedRow> rows) {
  Report report;
  report.groups = std::move(rows);
  return report;
}

class LiveRingTest : public testing::Test {
 protected:
  std::shared_ptr<const LiveView> Take(const Report& report) {
    seconds_ += 5;
    return ring_.Take(report, At(seconds_));
  }

  LiveRing ring_{5 * kSecond};
  std::uint64_t seconds_ = 0;
};

TEST_F(LiveRingTest, NothingIsKnownBeforeTheSecondReport) {
  EXPECT_FALSE(ring_.has_begun());
  EXPECT_EQ(ring_.Empty(At(0))->host_name, "host");
  const auto first = Take(Groups({Group("a", 100 * kSecond)}));
  EXPECT_TRUE(ring_.has_begun());
  EXPECT_EQ(first->window_ns, 0U);
  EXPECT_THAT(first->points, IsEmpty());
  EXPECT_THAT(first->table(LiveViewKind::kGroup).rows, IsEmpty());
}

TEST_F(LiveRingTest, RatesAreDifferencesOverTheRealTime) {
  ring_.Take(Groups({Group("a", kSecond, 7)}), At(0));
  const auto view = ring_.Take(Groups({Group("a", 5 * kSecond, 27)}), At(8));
  EXPECT_EQ(view->window_ns, 8 * kSecond);
  const LiveRow& row = *Find(*view, LiveViewKind::kGroup, "a");
  EXPECT_FLOAT_EQ(row.rates.cpu, 0.5);
  EXPECT_FLOAT_EQ(row.rates.wait, 1);
  EXPECT_FLOAT_EQ(row.rates.starts, 2.5);
  EXPECT_FLOAT_EQ(row.rates.switches, 500'000);
  EXPECT_EQ(row.cpu_ns, 5 * kSecond);
}

TEST_F(LiveRingTest, WhoIsNewHasCountedAllOfItInThisStep) {
  Take(Groups({}));
  EXPECT_FLOAT_EQ(CpuOfGroup(*Take(Groups({Group("burst", kSecond, 100)})), "burst"), 0.2F);
}

TEST_F(LiveRingTest, ASeriesThatEndedAndBeganAnewGivesNoNegativeAndNoAbsurdRate) {
  Take(Groups({Group("a", 1000 * kSecond)}));
  EXPECT_FLOAT_EQ(CpuOfGroup(*Take(Groups({Group("a", kSecond)})), "a"), 0.2F);
  Take(Groups({}));
  EXPECT_FLOAT_EQ(CpuOfGroup(*Take(Groups({Group("a", kSecond / 2)})), "a"), 0.1F);
}

TEST_F(LiveRingTest, OneFieldThatGoesBackIsARestartOfAll) {
  NamedRow before = Group("a", kSecond);
  before.lifecycle.forks = 50;
  Take(Groups({before}));
  const auto view = Take(Groups({Group("a", 2 * kSecond, 10)}));
  EXPECT_FLOAT_EQ(CpuOfGroup(*view, "a"), 0.4F);
  EXPECT_FLOAT_EQ(Find(*view, LiveViewKind::kGroup, "a")->rates.starts, 2);
}

TEST_F(LiveRingTest, WhoWasFoldedForAWhileHasNoRateInTheStepThatBringsItBack) {
  Take(Groups({Group("a", 100 * kSecond)}));
  EXPECT_EQ(CpuOfGroup(*Take(Groups({})), "a"), -1);
  NamedRow back = Group("a", 104 * kSecond);
  back.resumed = true;
  const auto view = Take(Groups({back}));
  EXPECT_EQ(CpuOfGroup(*view, "a"), -1);
  EXPECT_EQ(view->table(LiveViewKind::kGroup).total, 0U);
  back.totals.user_ns += kSecond;
  EXPECT_FLOAT_EQ(CpuOfGroup(*Take(Groups({back})), "a"), 0.2F);
}

TEST_F(LiveRingTest, APidThatIsUsedAgainIsAnotherProcess) {
  Report report;
  report.processes = {Process(7, 1, 100 * kSecond)};
  Take(report);
  ProcessRow next = Process(7, 2, 101 * kSecond);
  next.inherited = Process(7, 1, 100 * kSecond).totals;
  report.processes = {next};
  const auto view = Take(report);
  const LiveRow& row = *Find(*view, LiveViewKind::kProcess, "p");
  EXPECT_FLOAT_EQ(row.rates.cpu, 0.2F);
  EXPECT_EQ(row.cpu_ns, kSecond);
}

TEST_F(LiveRingTest, ANameThatChangesTheOffsetOfItsSeriesIsNoCpuTime) {
  Report report;
  report.processes = {Process(7, 1, kSecond)};
  Take(report);
  report.processes[0].inherited = Process(7, 1, 50 * kSecond).totals;
  report.processes[0].totals = Process(7, 1, 51 * kSecond).totals;
  EXPECT_FLOAT_EQ(Find(*Take(report), LiveViewKind::kProcess, "p")->rates.cpu, 0);
}

TEST_F(LiveRingTest, LabelsTellGroupsApartButNotCgroups) {
  Report report;
  report.groups = {Group("g", kSecond), Group("g", 2 * kSecond)};
  report.groups[1].labels = {{"team", "x"}};
  report.cgroups = {Group("/a", kSecond)};
  Take(report);
  report.groups[1].totals.user_ns += kSecond;
  report.cgroups[0].labels = {{"pod", "known by now"}};
  report.cgroups[0].totals.user_ns += kSecond;
  const auto view = Take(report);
  const LiveTable& groups = view->table(LiveViewKind::kGroup);
  ASSERT_THAT(groups.rows, SizeIs(2));
  EXPECT_FLOAT_EQ(groups.rows[0].rates.cpu, 0);
  EXPECT_FLOAT_EQ(groups.rows[1].rates.cpu, 0.2F);
  EXPECT_FLOAT_EQ(Find(*view, LiveViewKind::kCgroup, "/a")->rates.cpu, 0.2F);
}

TEST_F(LiveRingTest, TheHostIsAllGroupsWithWhatIsFolded) {
  Report report = Groups({Group("a", kSecond, 1)});
  report.other_groups.present = true;
  report.cpus = {{0, kSecond, 0}, {1, kSecond, 0}};
  Take(report);
  report.groups[0] = Group("a", 2 * kSecond, 6);
  report.other_groups.totals.wait_ns = 3 * kSecond;
  report.other_groups.lifecycle.forks = 5;
  report.other_groups.folded = 3;
  report.cpus = {{0, 3 * kSecond, 0}, {1, 5 * kSecond, 0}};
  report.unattributed_ns = kSecond;
  const auto view = Take(report);
  const LiveHost& host = view->points.back()->host;
  EXPECT_FLOAT_EQ(host.rates.cpu, 1.2F);
  EXPECT_FLOAT_EQ(host.rates.wait, 1);
  EXPECT_FLOAT_EQ(host.rates.starts, 2);
  EXPECT_FLOAT_EQ(host.unattributed, 0.2F);
  const auto& other = view->table(LiveViewKind::kGroup).other;
  ASSERT_TRUE(other);
  EXPECT_EQ(other->folded, 3U);
  EXPECT_FLOAT_EQ(other->rates.wait, 0.6F);
  EXPECT_FALSE(view->table(LiveViewKind::kCgroup).other);
}

TEST_F(LiveRingTest, AClockThatStandsStillGivesNoRates) {
  ring_.Take(Groups({Group("a", kSecond)}), At(1));
  ring_.Take(Groups({Group("a", 2 * kSecond)}), At(2));
  const auto view = ring_.Take(Groups({Group("a", 3 * kSecond)}), At(2));
  EXPECT_EQ(view->window_ns, 0U);
  EXPECT_THAT(view->points, SizeIs(1));
  EXPECT_FLOAT_EQ(CpuOfGroup(*ring_.Take(Groups({Group("a", 4 * kSecond)}), At(3)), "a"), 1);
}

TEST_F(LiveRingTest, KeepsSixtyPointsAndNoMore) {
  std::shared_ptr<const LiveView> view;
  for (std::uint64_t i = 0; i <= 2 * LiveRing::kPoints; ++i) {
    view = Take(Groups({Group("a", i * kSecond)}));
  }
  ASSERT_THAT(view->points, SizeIs(LiveRing::kPoints));
  EXPECT_EQ(view->points.back()->boottime_ns, kBegin + seconds_ * kSecond);
  EXPECT_EQ(view->points.front()->boottime_ns,
            kBegin + (seconds_ - 5 * (LiveRing::kPoints - 1)) * kSecond);
  const std::uint32_t track = Find(*view, LiveViewKind::kGroup, "a")->track;
  for (const auto& point : view->points) {
    ASSERT_THAT(point->tracked[1], SizeIs(1));
    EXPECT_EQ(point->tracked[1][0].track, track);
    EXPECT_FLOAT_EQ(point->tracked[1][0].cpu, 0.2F);
  }
}

TEST_F(LiveRingTest, WhoCameBackHasAnotherHistory) {
  Take(Groups({Group("a", 0)}));
  const std::uint32_t before =
      Find(*Take(Groups({Group("a", 1)})), LiveViewKind::kGroup, "a")->track;
  Take(Groups({}));
  const std::uint32_t after =
      Find(*Take(Groups({Group("a", 1)})), LiveViewKind::kGroup, "a")->track;
  EXPECT_NE(before, 0U);
  EXPECT_NE(after, 0U);
  EXPECT_NE(before, after);
}

TEST_F(LiveRingTest, OfTimeslicesTheMeanWaitOfTheirProcessDecides) {
  Report report;
  report.processes = {Process(1, 1, 0), Process(2, 1, 0), Process(3, 1, 0)};
  Take(report);
  report.processes[0].totals.timeslices = 10;
  report.processes[0].totals.wait_ns = 10'000;  // 1 us each: the first bound is in its bucket
  report.processes[1].totals.timeslices = 4;
  report.processes[1].totals.wait_ns = 4'004;
  report.processes[2].totals.wait_ns = kSecond;  // waits still
  report.other_processes.totals.timeslices = 3;
  report.other_processes.totals.wait_ns = 51 * kSecond;
  const LatencyColumn& column = Take(report)->points.back()->latency;
  EXPECT_EQ(column[0], 10U);
  EXPECT_EQ(column[1], 4U);
  EXPECT_EQ(column[kLatencyBounds], 3U);
  EXPECT_EQ(std::count(column.begin(), column.end(), 0U), 23);
}

TEST(Latency, BoundsAreInTheirBuckets) {
  EXPECT_EQ(LatencyBucketOf(0), 0U);
  for (std::size_t i = 0; i < kLatencyBounds; ++i) {
    EXPECT_EQ(LatencyBoundNs(i), std::uint64_t{1000} << i);
    EXPECT_EQ(LatencyBucketOf(LatencyBoundNs(i)), i);
    EXPECT_EQ(LatencyBucketOf(LatencyBoundNs(i) + 1), i + 1);
  }
  EXPECT_EQ(LatencyBucketOf(~std::uint64_t{0}), kLatencyBounds);
}

/// Many processes, of which a few are first by each measure.
Report ManyProcesses(std::uint32_t count, std::uint64_t step) {
  Report report;
  for (std::uint32_t pid = 1; pid <= count; ++pid) {
    report.processes.push_back(Process(pid, 1, step * pid));
    report.processes.back().totals.wait_ns = step * (count - pid);
  }
  return report;
}

TEST_F(LiveRingTest, AHundredThousandMembersHaveBoundedRowsAndHistories) {
  constexpr std::uint32_t kCount = 100'000;
  Take(ManyProcesses(kCount, 1));
  std::shared_ptr<const LiveView> view;
  for (std::uint64_t step = 2; step < 5; ++step) {
    view = Take(ManyProcesses(kCount, step));
  }
  const LiveTable& table = view->table(LiveViewKind::kProcess);
  EXPECT_EQ(table.total, kCount);
  EXPECT_LE(table.rows.size(), LiveRing::kMostRows);
  EXPECT_LE(view->points.back()->tracked[0].size(), LiveRing::kMostTracked);
  const auto has = [&table](std::uint32_t pid) {
    return std::any_of(table.rows.begin(), table.rows.end(), [pid](const LiveRow& row) {
      return row.process->pid == pid && row.track != 0;
    });
  };
  EXPECT_TRUE(has(kCount)) << "the most CPU";
  EXPECT_TRUE(has(1)) << "the longest wait";
  EXPECT_FALSE(has(kCount / 2));
}

TEST_F(LiveRingTest, HistoryIsKeptOfWhoWasFirstUntilOthersNeedTheRoom) {
  constexpr std::uint32_t kCount = 1'000;
  Report report;
  for (std::uint32_t pid = 1; pid <= kCount; ++pid) {
    report.processes.push_back(Process(pid, 1, 0));
  }
  Take(report);
  report.processes[0].totals.user_ns = kSecond;
  const auto track_of_first = [](const LiveView& view) {
    return view.table(LiveViewKind::kProcess).rows[0].track;
  };
  const std::uint32_t track = track_of_first(*Take(report));
  EXPECT_NE(track, 0U);
  // Idle now, and nobody else does anything: it stays.
  EXPECT_EQ(track_of_first(*Take(report)), track);
  // All places are taken by others, fifty at a time.
  for (std::uint32_t round = 0; round < 4; ++round) {
    for (std::uint32_t i = 0; i < LiveRing::kTop; ++i) {
      report.processes[100 + round * LiveRing::kTop + i].totals.user_ns = kSecond;
    }
    Take(report);
  }
  EXPECT_EQ(track_of_first(*Take(report)), 0U);
}

}  // namespace
}  // namespace sched_exporter
