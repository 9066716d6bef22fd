#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {

inline constexpr int kLimit = 100;
inline constexpr double kTolerance = 0.001;
inline constexpr const char* kCounted[] = {"cpu_seconds_total",
                                           "timeslices_total",
                                           "execs_total",
                                           "forks_total",
                                           "exits_total",
                                           "timeslice_seconds_count",
                                           "runqueue_latency_seconds_count"};

/// Uses CPU time, and starts a program that ends at once.
inline bool Work() {
  Burn(std::chrono::milliseconds(2));
  std::string program = "/bin/true";
  char* arguments[] = {program.data(), nullptr};
  pid_t pid = 0;
  return posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) == 0 &&
         Wait(pid) == 0;
}

/// A process in `cgroup` that works.
inline pid_t StartIn(const CgroupDirectory& cgroup) {
  return Fork([&] { return cgroup.Add(0) && Work(); });
}

inline std::string Series(const std::string& what) { return "sched_cgroup_" + what; }
inline std::string Removed(const std::string& what) { return "sched_removed_cgroup_" + what; }

/// How many cgroups have series in the family that has most of them.
inline std::size_t MostCgroups(const MetricsText& metrics) {
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

/// An exporter, and a cgroup that all the others are below.
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
    EXPECT_THAT(backward, testing::IsEmpty());
    for (const std::string what : kCounted) {
      // Sums of doubles in another order differ in the last digits.
      EXPECT_GE(SumOf(*scrape, what), SumOf(last_, what) - 1e-6) << what;
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
    double truth = 0;
    EXPECT_TRUE(WaitUntil([&] {
      truth = static_cast<double>(cgroup.UsageNs()) / 1e9;
      Scrape();
      return truth > 0 && std::abs(Of(cgroup, "cpu_seconds_total") - truth) <= truth * kTolerance;
    })) << Of(cgroup, "cpu_seconds_total")
        << " instead of " << truth;
  }

  std::string Child(const std::string& name) const { return parent_.label() + "/" + name; }

  const TestCgroup parent_{GetParam(), "life"};
  std::unique_ptr<Exporter> exporter_;
  MetricsText last_;
};

/// Nothing but scrapes sweeps.
inline constexpr char kOnlyScrapes[] =
    "collection: {interval: 5m}\nlive: {top: false}\nlimits: {cgroups: 100, dead_series: ";

}  // namespace sched_exporter::test_support
