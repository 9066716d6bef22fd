// Distributions of cgroups from step to step, and their quantiles.

#include "exporter/live/live_distributions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "exporter/live/live_ring.h"
#include "exporter/live/top_json.h"

namespace sched_exporter {
namespace {

using testing::ElementsAre;
using Json = nlohmann::json;

constexpr std::uint64_t kSecond = 1'000'000'000;

/// `slices` timeslices in a bucket, each after a wait in another.
Distributions Slices(std::uint64_t slices, std::size_t bucket, std::size_t wait_bucket) {
  Distributions distributions;
  distributions.timeslice.buckets.at(bucket) = slices;
  distributions.timeslice.sum_ns = slices;
  distributions.runqueue_latency.buckets.at(wait_bucket) = slices;
  return distributions;
}

NamedRow Cgroup(const std::string& path, const Distributions& distributions) {
  NamedRow row;
  row.name = path;
  row.distributions = distributions;
  return row;
}

class LiveDistributionsTest : public testing::Test {
 protected:
  std::shared_ptr<const LiveView> Take(std::vector<NamedRow> cgroups,
                                       const Distributions& other = {}) {
    Report report;
    report.cgroups = std::move(cgroups);
    report.other_cgroups.present = true;
    report.other_cgroups.distributions = other;
    report.processes = processes_;
    seconds_ += 5;
    return ring_.Take(report, {seconds_ * kSecond, 0, 2, "host"});
  }
  static const LiveDistributions* Of(const LiveView& view, const std::string& path) {
    for (const LiveRow& row : view.table(LiveViewKind::kCgroup).rows) {
      if (row.name == path) {
        return row.distributions.get();
      }
    }
    return nullptr;
  }

  LiveRing ring_{5 * kSecond};
  std::uint64_t seconds_ = 100;
  std::vector<ProcessRow> processes_;
};

TEST_F(LiveDistributionsTest, AreWhatWasAddedInTheStep) {
  Distributions total = Slices(100, 3, 5);
  Take({Cgroup("/a", total)});
  total += Slices(7, 3, 5);
  total += Slices(2, 25, 0);
  const auto view = Take({Cgroup("/a", total), Cgroup("/new", Slices(1, 2, 3))});
  const LiveDistributions* const of_a = Of(*view, "/a");
  ASSERT_NE(of_a, nullptr);
  EXPECT_EQ(of_a->timeslice[3], 7U);
  EXPECT_EQ(of_a->timeslice[25], 2U);
  EXPECT_EQ(of_a->runqueue_latency[5], 7U);
  EXPECT_EQ(of_a->runqueue_latency[0], 2U);
  EXPECT_EQ(Of(*view, "/new")->timeslice[2], 1U) << "all of it was added since";
  EXPECT_EQ(Of(*Take({Cgroup("/a", total)}), "/a"), nullptr) << "nothing ended";
}

TEST_F(LiveDistributionsTest, ASeriesThatBeganAnewHasAddedAllOfIt) {
  Take({Cgroup("/a", Slices(100, 3, 5))});
  EXPECT_EQ(Of(*Take({Cgroup("/a", Slices(9, 3, 5))}), "/a")->timeslice[3], 9U);
  Take({});
  EXPECT_EQ(Of(*Take({Cgroup("/a", Slices(11, 3, 5))}), "/a")->timeslice[3], 11U);
}

TEST_F(LiveDistributionsTest, WhatWasFoldedPoursNothingOld) {
  Take({});
  NamedRow back = Cgroup("/a", Slices(1'000, 3, 5));
  back.resumed = true;
  const auto view = Take({back});
  EXPECT_EQ(Of(*view, "/a"), nullptr);
  EXPECT_EQ(view->points.back()->latency[5], 0U);
  back.distributions += Slices(4, 3, 5);
  EXPECT_EQ(Of(*Take({back}), "/a")->timeslice[3], 4U);
}

TEST_F(LiveDistributionsTest, TheHostHasTheWaitsOfAllCgroupsAndWhatIsFolded) {
  Take({Cgroup("/a", Slices(1, 0, 0)), Cgroup("/b", Slices(1, 0, 0))}, Slices(1, 0, 0));
  processes_.resize(1);
  processes_[0].totals.timeslices = 1'000;
  const auto view =
      Take({Cgroup("/a", Slices(11, 0, 0)), Cgroup("/b", Slices(1, 0, 0))}, Slices(6, 0, 0));
  const LivePoint& point = *view->points.back();
  EXPECT_TRUE(point.is_latency_exact);
  EXPECT_EQ(point.latency[0], 15U);
}

TEST_F(LiveDistributionsTest, WithoutThemTheMeanOfProcessesStandsForTheirWaits) {
  Take({Cgroup("/a", {})});
  processes_.resize(1);
  processes_[0].totals.timeslices = 10;
  processes_[0].totals.wait_ns = 10'000;
  const LivePoint& point = *Take({Cgroup("/a", {})})->points.back();
  EXPECT_FALSE(point.is_latency_exact);
  EXPECT_EQ(point.latency[0], 10U);
}

/// The length at a share of sorted lengths, by counting.
std::uint64_t LengthAt(std::vector<std::uint64_t> lengths, double share) {
  std::sort(lengths.begin(), lengths.end());
  std::size_t at = 0;
  while (static_cast<double>(at + 1) < share * static_cast<double>(lengths.size())) {
    ++at;
  }
  return lengths[at];
}

TEST(QuantileBucket, HasTheLengthThatAShareDoesNotExceed) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint64_t> lengths(1 + random() % 400);
    LiveDurations durations{};
    for (std::uint64_t& length : lengths) {
      length = random() >> (28 + random() % 36);
      std::size_t bucket = 0;
      while (bucket < kDurationBounds && length > Durations::BoundNs(bucket)) {
        ++bucket;
      }
      ++durations[bucket];
    }
    for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      const auto bucket = QuantileBucket(durations, share);
      ASSERT_TRUE(bucket);
      const std::uint64_t length = LengthAt(lengths, share);
      EXPECT_TRUE(*bucket == kDurationBounds || length <= Durations::BoundNs(*bucket));
      EXPECT_TRUE(*bucket == 0 || length > Durations::BoundNs(*bucket - 1));
    }
  }
}

TEST(QuantileBucket, OfNothingThereIsNone) { EXPECT_EQ(QuantileBucket({}, 0.5), std::nullopt); }

TEST(LiveDistributions, WhatIsTooManyForABucketStaysTheMost) {
  const LiveDistributions most = LiveDistributionsOf(Slices(~std::uint64_t{0}, 1, 2));
  EXPECT_EQ(most.timeslice[1], ~std::uint32_t{0});
}

Json Rows(const LiveView& view, const std::string& query) {
  return Json::parse(TopJson(view, *ParseTopQuery(query)))["rows"];
}

TEST_F(LiveDistributionsTest, AreInTheAnswerForCgroups) {
  Distributions both = Slices(98, 3, 12);
  both += Slices(2, 25, 25);
  Take({Cgroup("/a", {}), Cgroup("/idle", {})});
  const auto view = Take({Cgroup("/a", both), Cgroup("/idle", {})});
  const Json rows = Rows(*view, "view=cgroup&sort=name");
  const Json& waits = rows[0]["runqueue_latency"];
  EXPECT_EQ(waits["p50"], 0.004096);
  EXPECT_TRUE(waits["p99"].is_null()) << "longer than all bounds";
  EXPECT_EQ(waits["buckets"].size(), kDurationBounds + 1);
  EXPECT_EQ(waits["buckets"][12], 98);
  EXPECT_EQ(rows[0]["timeslice"]["p50"], 8e-06);
  EXPECT_EQ(rows[0]["timeslice"]["buckets"][25], 2);
  EXPECT_TRUE(rows[1]["runqueue_latency"].is_null());
  EXPECT_TRUE(rows[1]["timeslice"].is_null());
  const Json small = Rows(*view, "view=cgroup&history=0");
  EXPECT_FALSE(small[0]["timeslice"].contains("buckets"));
  EXPECT_EQ(small[0]["timeslice"]["p50"], 8e-06);
}

TEST_F(LiveDistributionsTest, SortByTheLongestWaits) {
  Take({});
  const auto view = Take({Cgroup("/none", {}), Cgroup("/short", Slices(9, 0, 0)),
                          Cgroup("/long", Slices(1, 0, 20)), Cgroup("/longest", Slices(1, 0, 25))});
  std::vector<std::string> names;
  for (const Json& row : Rows(*view, "view=cgroup&sort=latency")) {
    names.push_back(row["name"]);
  }
  EXPECT_THAT(names, ElementsAre("/longest", "/long", "/short", "/none"));
}

TEST_F(LiveDistributionsTest, TheAnswerSaysWhetherTheHeatMapIsExact) {
  Take({});
  const auto exact = Take({Cgroup("/a", Slices(1, 0, 0))});
  EXPECT_EQ(Json::parse(TopJson(*exact, {}))["latency"]["exact"], true);
  const auto means = Take({Cgroup("/a", Slices(1, 0, 0))});
  EXPECT_EQ(Json::parse(TopJson(*means, {}))["latency"]["exact"], false);
}

}  // namespace
}  // namespace sched_exporter
