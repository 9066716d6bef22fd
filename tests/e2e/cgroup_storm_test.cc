// Series of cgroups that come and go: bounded, complete, and never backwards. What was counted is
// compared with the kernel's own figures, read just before each removal.

#include <deque>

#include "tests/support/cgroup_life.h"
#include "tests/support/lifecycle_truth.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::IsEmpty;

const int kCgroups = IsSanitized() ? 200 : 2'000;
constexpr int kAlive = 50;

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
  if (!IsSanitized()) {  // a sanitizer keeps what was freed
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

INSTANTIATE_TEST_SUITE_P(Hierarchies, CgroupStorm, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
