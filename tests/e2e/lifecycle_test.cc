// Counts of forks, execs, exits and failures, against what a starter of thousands of children
// counts itself: equal to the last one, whatever is too small.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <ostream>
#include <set>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/lifecycle_truth.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::IsEmpty;

const int kChildren = IsSanitized() ? 2'000 : 20'000;
constexpr int kFewChildren = 200;

/// Sums of what was lost on the way rest for a second before they are counted.
constexpr std::chrono::seconds kPatience{15};

/// An exporter for each hierarchy of this host, and a cgroup in each that all the load is in.
struct Watched {
  Watched(const CgroupHost& host, const std::string& config)
      : cgroup(host, "lifecycle"),
        exporter(
            Exporter::Start({"cgroup: {hierarchy: " + host.hierarchy + "}\n" + config, {}, {}})) {}

  MetricsText Scrape() const {
    const auto metrics = (*exporter)->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics ? *metrics : MetricsText();
  }

  TestCgroup cgroup;
  Result<std::unique_ptr<Exporter>> exporter;
};

class LifecycleTest : public testing::Test {
 protected:
  void StartExporters(const std::string& config) {
    const auto hosts = TestableHierarchies();
    ASSERT_FALSE(hosts.empty()) << "no cgroup hierarchy is mounted";
    for (const CgroupHost& host : hosts) {
      watched_.push_back(std::make_unique<Watched>(host, config));
      const auto& exporter = watched_.back()->exporter;
      ASSERT_TRUE(exporter) << exporter.error().message;
    }
  }

  std::vector<std::string> Directories() const {
    std::vector<std::string> directories;
    for (const auto& watched : watched_) {
      directories.push_back(watched->cgroup.directory());
    }
    return directories;
  }

  void Signal(int signal) const {
    for (const auto& watched : watched_) {
      kill((*watched->exporter)->pid(), signal);
    }
  }

  /// Runs a load and keeps its report.
  void Run(Starter& starter) {
    auto report = starter.Run();
    ASSERT_TRUE(report) << report.error().message;
    reports_.push_back(std::move(*report));
  }

  /// Waits until every exporter agrees with all loads of this test, the last of them by group, too.
  void ExpectAgreement(const std::string& last_comm) const {
    for (const auto& watched : watched_) {
      std::vector<std::string> differences;
      WaitUntil(
          [&] {
            const MetricsText metrics = watched->Scrape();
            differences = CgroupDifferences(metrics, watched->cgroup.label(), reports_);
            const auto by_group = GroupDifferences(metrics, last_comm, reports_.back());
            differences.insert(differences.end(), by_group.begin(), by_group.end());
            return differences.empty();
          },
          kPatience);
      EXPECT_THAT(differences, IsEmpty()) << watched->cgroup.directory();
    }
  }

  std::vector<std::unique_ptr<Watched>> watched_;
  std::vector<StarterReport> reports_;
};

/// Under what circumstances.
struct Circumstances {
  std::string name;
  std::string config;
  bool reader_stands_still = false;
  int children = kChildren;
};

void PrintTo(const Circumstances& circumstances, std::ostream* out) { *out << circumstances.name; }

class LifecycleCounts : public LifecycleTest, public testing::WithParamInterface<Circumstances> {
 protected:
  static double LostEvents(const MetricsText& metrics) {
    return metrics.Sum("sched_exporter_lost_events_total") -
           metrics.Sum("sched_exporter_lost_events_total", {{"buffer", "stream"}});
  }
};

TEST_P(LifecycleCounts, AgreeToTheLastOne) {
  StartExporters(GetParam().config);
  Starter storm({.children = GetParam().children, .cgroups = Directories()});
  std::vector<MetricsText> before;
  for (const auto& watched : watched_) {
    before.push_back(watched->Scrape());
  }
  // A reader that sleeps is the surest way to fill a buffer.
  Signal(GetParam().reader_stands_still ? SIGSTOP : SIGCONT);
  ASSERT_NO_FATAL_FAILURE(Run(storm));
  Signal(SIGCONT);
  ExpectAgreement(storm.comm());
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    const MetricsText after = watched_[i]->Scrape();
    EXPECT_THAT(BackwardCounters(before[i], after), IsEmpty());
    if (GetParam().reader_stands_still) {
      EXPECT_GT(LostEvents(after), 0);
    }
    // Of the whole host: others may fail, too.
    for (const auto& [error, count] : reports_[0].counts.exec_failures) {
      const std::string family = "sched_exec_failures_total";
      EXPECT_GE(after.Sum(family, {{"errno", error}}) - before[i].Sum(family, {{"errno", error}}),
                static_cast<double>(count))
          << error;
    }
  }
  // And what comes later is right, too: nothing is counted again.
  Starter later({.children = kFewChildren, .cgroups = Directories()});
  ASSERT_NO_FATAL_FAILURE(Run(later));
  ExpectAgreement(later.comm());
}

const Circumstances kAll[] = {
    {"Default", ""},
    {"SmallestBuffer", "maps: {events_bytes: 4096}\n"},
    {"ReaderStandsStill", "maps: {events_bytes: 4096}\n", true},
    {"PerfBuffers", "events: {transport: perfbuf}\n"},
    {"PerfBuffersReaderStandsStill", "maps: {events_bytes: 4096}\nevents: {transport: perfbuf}\n",
     true, kChildren / 5},
    {"FailuresByTracepoint", "events: {exec_failures: tracepoint}\n", false, kChildren / 5},
};

INSTANTIATE_TEST_SUITE_P(Circumstances, LifecycleCounts, testing::ValuesIn(kAll),
                         [](const auto& tested) { return tested.param.name; });

/// Names in the label `group` of all families.
std::set<std::string> GroupsOf(const MetricsText& metrics) {
  std::set<std::string> groups;
  for (const Line& line : metrics.lines()) {
    if (line.name.starts_with("sched_group_")) {
      groups.insert(line.labels.at("group"));
    }
  }
  return groups;
}

TEST_F(LifecycleTest, ManyNamesFoldAndNothingIsLost) {
  constexpr std::size_t kGroups = 20;
  constexpr int kBombs = 4;
  const int kNames = kChildren / 40;
  // A sweep that nobody scrapes may show a name and take its place away again. Here nothing but
  // scrapes sweeps, also because each bomb is smaller than what the exporter lets wait.
  StartExporters("limits: {groups: " + std::to_string(kGroups) +
                 "}\ncollection: {interval: 5m}\nlive: {top: false}\n");
  std::vector<ViewGrowth> growth(watched_.size());
  const auto scrape = [&](std::size_t i) {
    MetricsText metrics = watched_[i]->Scrape();
    growth[i].Take(metrics);
    EXPECT_LE(GroupsOf(metrics).size(), kGroups + 1) << "and other";
    EXPECT_LE(metrics.Count("sched_group_execs_total"), kGroups + 1);
    return metrics;
  };
  for (int bomb = 0; bomb <= kBombs; ++bomb) {
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      scrape(i);
    }
    if (bomb < kBombs) {
      Starter starter({.children = kNames * kHows, .names = kNames, .cgroups = Directories()});
      ASSERT_NO_FATAL_FAILURE(Run(starter));
      ASSERT_GE(reports_.back().counts.execs.size(), static_cast<std::size_t>(kNames));
    }
  }
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    std::vector<std::string> differences;
    WaitUntil(
        [&] {
          differences = CgroupDifferences(scrape(i), watched_[i]->cgroup.label(), reports_);
          return differences.empty();
        },
        kPatience);
    EXPECT_THAT(differences, IsEmpty());
    EXPECT_THAT(growth[i].Differences(), IsEmpty());
    EXPECT_GT(scrape(i).Sum("sched_group_execs_total", {{"group", "other"}}), 0);
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
