// Series of cgroups that come and go: bounded, complete, and never backwards. What was counted is
// compared with the kernel's own figures, read just before each removal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>

#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/lifecycle_truth.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

extern char** environ;

namespace sched_exporter::test_support {
namespace {

using ::testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kCgroups = 200;
constexpr bool kMemoryIsTold = false;  // a sanitizer keeps what was freed
#else
constexpr int kCgroups = 2'000;
constexpr bool kMemoryIsTold = true;
#endif
constexpr int kAlive = 50;
constexpr int kLimit = 100;
constexpr double kTolerance = 0.001;
const char* const kCounted[] = {"cpu_seconds_total", "timeslices_total", "execs_total",
                                "forks_total", "exits_total"};

/// Uses CPU time, and starts a program that ends at once.
bool Work() {
  Burn(std::chrono::milliseconds(2));
  std::string program = "/bin/true";
  char* arguments[] = {program.data(), nullptr};
  pid_t pid = 0;
  return posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) == 0 &&
         Wait(pid) == 0;
}

/// A process in `cgroup` that works.
pid_t StartIn(const CgroupDirectory& cgroup) {
  return Fork([&] { return cgroup.Add(0) && Work(); });
}

/// Cgroups below one parent, each with two processes of a short life.
class Storm {
 public:
  Storm(const CgroupHost& host, std::string parent) : host_(host), parent_(std::move(parent)) {}
  ~Storm() { EndAllBut(0); }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  /// Makes that many more; the oldest are removed as soon as kAlive are there.
  void Make(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string path = parent_ + "/" + std::to_string(made_++);
      auto cgroup = std::make_unique<CgroupDirectory>(host_, path);
      const pid_t pid = StartIn(*cgroup);
      living_.push_back({std::move(cgroup), pid});
      EndAllBut(kAlive);
    }
  }
  void EndAllBut(std::size_t left) {
    while (living_.size() > left) {
      const Living& oldest = living_.front();
      EXPECT_EQ(Wait(oldest.pid), 0);
      usage_ns_ += oldest.cgroup->UsageNs();
      EXPECT_TRUE(oldest.cgroup->Remove()) << oldest.cgroup->directory();
      living_.pop_front();
    }
  }

  /// By the kernel's figures, of those that were removed.
  double cpu_seconds() const { return static_cast<double>(usage_ns_) / 1e9; }
  int made() const { return made_; }

 private:
  struct Living {
    std::unique_ptr<CgroupDirectory> cgroup;
    pid_t pid = -1;
  };

  CgroupHost host_;
  std::string parent_;
  std::deque<Living> living_;
  std::uint64_t usage_ns_ = 0;
  int made_ = 0;
};

std::string Series(const std::string& what) { return "sched_cgroup_" + what; }
std::string Removed(const std::string& what) { return "sched_removed_cgroup_" + what; }

/// How many cgroups have series in the family that has most of them.
std::size_t MostCgroups(const MetricsText& metrics) {
  std::map<std::string, std::set<std::string>> cgroups;
  std::size_t most = 0;
  for (const Line& line : metrics.lines()) {
    if (line.name.starts_with("sched_cgroup_") || line.name.starts_with("sched_removed_cgroup_")) {
      std::set<std::string>& of_family = cgroups[line.name];
      of_family.insert(line.labels.at("cgroup"));
      most = std::max(most, of_family.size());
    }
  }
  return most;
}

class CgroupLife : public testing::TestWithParam<CgroupHost> {
 protected:
  /// With series of nothing but what is below the parent, so that the limit is for that. Each
  /// thread that serves would have an arena of its own, and memory would depend on who serves.
  void Start(const std::string& config) {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + GetParam().hierarchy + "}\n" +
                                        "filters: {cgroups: {include: ['^" + parent_.label() +
                                        "(/|$)']}}\n" + config,
                                    {},
                                    {"env", "MALLOC_ARENA_MAX=1"}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
    Scrape();
  }

  /// What holds in every scrape and from each to the next.
  const MetricsText& Scrape() {
    auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    if (!scrape) {
      return last_;
    }
    EXPECT_LE(MostCgroups(*scrape), kLimit + 1) << "and other";
    // A group that is gone for a moment begins anew where its dead series end at once.
    std::vector<std::string> backward = BackwardCounters(last_, *scrape);
    std::erase_if(backward, [](const auto& line) { return line.starts_with("sched_group_"); });
    EXPECT_THAT(backward, IsEmpty());
    if (sums_must_grow_) {
      for (const std::string what : kCounted) {
        // Sums of doubles in another order differ in the last digits.
        EXPECT_GE(SumOf(*scrape, what), SumOf(last_, what) - 1e-6) << what;
      }
    }
    last_ = std::move(*scrape);
    return last_;
  }

  /// Of all cgroups, also of those that are gone.
  static double SumOf(const MetricsText& metrics, const std::string& what) {
    return metrics.Sum(Series(what)) + metrics.Sum(Removed(what));
  }

  /// Of the parent and of what was ever below it.
  double BelowParent(const MetricsText& metrics, const std::string& what) const {
    double sum = metrics.Sum(Removed(what), {{"cgroup", parent_.label()}});
    for (const Line& line : metrics.lines()) {
      if (line.name == Series(what) && line.labels.at("cgroup").starts_with(parent_.label())) {
        sum += line.value;
      }
    }
    return sum;
  }

  double Of(const CgroupDirectory& cgroup, const std::string& what) const {
    return last_.Sum(Series(what), {{"cgroup", cgroup.label()}});
  }
  double RemovedIn(const std::string& cgroup, const std::string& what) const {
    return last_.Sum(Removed(what), {{"cgroup", cgroup}});
  }
  bool HasSeries(const CgroupDirectory& cgroup) const {
    return last_.Count(Series("threads"), {{"cgroup", cgroup.label()}}) > 0;
  }

  /// Scrapes until the cgroup's CPU time is what the kernel says: all of its tasks have made their
  /// last switch.
  void ExpectTruth(const CgroupDirectory& cgroup) {
    const double truth = static_cast<double>(cgroup.UsageNs()) / 1e9;
    ASSERT_GT(truth, 0);
    EXPECT_TRUE(WaitUntil([&] {
      Scrape();
      return std::abs(Of(cgroup, "cpu_seconds_total") - truth) <= truth * kTolerance;
    })) << Of(cgroup, "cpu_seconds_total")
        << " instead of " << truth;
  }

  std::string Child(const std::string& name) const { return parent_.label() + "/" + name; }

  const TestCgroup parent_{GetParam(), "life"};
  std::unique_ptr<Exporter> exporter_;
  MetricsText last_;
  bool sums_must_grow_ = true;
};

/// Nothing but scrapes sweeps.
constexpr char kOnlyScrapes[] = "collection: {interval: 5m}\nlimits: {cgroups: 100, dead_series: ";

class CgroupStorm : public CgroupLife {
 protected:
  /// Makes and removes cgroups, with a scrape after each `step`.
  void Run(Storm& storm, int count, int step) {
    for (int i = 0; i < count; i += step) {
      storm.Make(std::min(step, count - i));
      Scrape();
    }
  }

  void ExpectCounts(const Storm& storm) {
    const double cgroups = storm.made();
    const double cpu = storm.cpu_seconds();
    EXPECT_TRUE(WaitUntil([&] {
      Scrape();
      return BelowParent(last_, "exits_total") >= 2 * cgroups &&
             BelowParent(last_, "cpu_seconds_total") >= cpu * (1 - kTolerance);
    }));
    EXPECT_NEAR(BelowParent(last_, "cpu_seconds_total"), cpu, cpu * kTolerance);
    EXPECT_EQ(BelowParent(last_, "forks_total"), cgroups);
    EXPECT_EQ(BelowParent(last_, "execs_total"), cgroups);
    EXPECT_EQ(BelowParent(last_, "exits_total"), 2 * cgroups);
    EXPECT_GE(BelowParent(last_, "timeslices_total"), 2 * cgroups);
  }
};

TEST_P(CgroupStorm, WithinTheLimitEveryNanosecondStaysBelowTheParent) {
  // Those alive, and those removed since the last scrape, are fewer than the limit.
  constexpr int kStep = kLimit - kAlive - 10;
  Start("collection: {interval: 100ms}\nlimits: {cgroups: 100, dead_series: 0s}\n");
  Storm storm(GetParam(), parent_.label());
  const auto resident = [this] { return Scrape().Sum("process_resident_memory_bytes"); };
  Run(storm, kCgroups / 4, kStep);
  storm.EndAllBut(0);
  const double early = resident();
  Run(storm, kCgroups - kCgroups / 4, kStep);
  storm.EndAllBut(0);
  ExpectCounts(storm);
  if (kMemoryIsTold) {
    EXPECT_LT(resident(), early * 1.1) << "a kilobyte for each that is gone would be more";
  }
}

TEST_P(CgroupStorm, DeadSeriesEndAndTheirSumStays) {
  Start("collection: {interval: 100ms}\nlimits: {cgroups: 100, dead_series: 100ms}\n");
  Storm storm(GetParam(), parent_.label());
  Run(storm, kLimit - 10, 10);  // dead or alive, all have a place
  storm.EndAllBut(0);
  ExpectCounts(storm);
  EXPECT_TRUE(WaitUntil([&] { return Scrape().Count(Series("threads")) <= 2; }))
      << "the parent and other at the most";
}

TEST_P(CgroupStorm, BeyondTheLimitTheRestIsInOther) {
  constexpr int kStep = 250;
  // A cgroup that is folded ends its series with what it had, until it comes back: so that sums of
  // all series may shrink, but not what is added to them.
  sums_must_grow_ = false;
  Start(std::string(kOnlyScrapes) + "0s}\nprocess_names: [{name: storm, cgroup: ['^" +
        parent_.label() + "/']}]\n");
  ViewGrowth growth;
  growth.Take(last_);
  Storm storm(GetParam(), parent_.label());
  for (int i = 0; i < kCgroups; i += kStep) {
    storm.Make(kStep);
    growth.Take(Scrape());
  }
  storm.EndAllBut(0);
  const double cpu = storm.cpu_seconds();
  const auto of_group = [this](const std::string& what) {
    return last_.Sum("sched_group_" + what, {{"group", "storm"}});
  };
  EXPECT_TRUE(WaitUntil([&] {
    growth.Take(Scrape());
    return of_group("exits_total") >= 2 * storm.made() &&
           of_group("cpu_seconds_total") >= cpu * (1 - kTolerance);
  }));
  EXPECT_NEAR(of_group("cpu_seconds_total"), cpu, cpu * kTolerance);
  EXPECT_EQ(of_group("exits_total"), 2 * storm.made());
  EXPECT_EQ(of_group("execs_total"), storm.made());
  EXPECT_THAT(growth.Differences(), IsEmpty());
}

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
  const double truth = static_cast<double>(cgroup.UsageNs()) / 1e9;
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
  EXPECT_NEAR(shown, truth, truth * kTolerance);
  EXPECT_DOUBLE_EQ(RemovedIn(parent_.label(), "cpu_seconds_total"), shown);
  EXPECT_EQ(RemovedIn(parent_.label(), "exits_total"), 2);
}

TEST_P(CgroupLife, TheSamePathMadeAgainGoesOn) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("again"));
  double before = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Wait(StartIn(cgroup)), 0);
    const double used = static_cast<double>(cgroup.UsageNs()) / 1e9;
    EXPECT_TRUE(WaitUntil([&] {
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

INSTANTIATE_TEST_SUITE_P(Hierarchies, CgroupStorm, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

INSTANTIATE_TEST_SUITE_P(Hierarchies, CgroupLife, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
