// The histograms of cgroups as they are served.

#include "exporter/metrics/distribution_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "exporter/metrics/exposition.h"
#include "tests/support/metrics_text.h"
#include "tests/support/samples.h"

namespace sched_exporter {
namespace {

using test_support::MakeDistributions;
using test_support::MetricsText;
using test_support::Named;

/// A bound as it is served, and how many are not above it.
using Bucket = std::pair<double, double>;

MetricsText TextWith(const Distributions& distributions) {
  auto sample = std::make_shared<Sample>();
  sample->report.cgroups = {Named("/a")};
  sample->report.cgroups[0].distributions = distributions;
  const auto text = MetricsText::Parse(Serialize(*sample, TextFormat::kClassic));
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or(MetricsText{});
}

std::vector<Bucket> Buckets(const MetricsText& text, const std::string& family) {
  std::vector<Bucket> buckets;
  for (const test_support::Line& line : text.lines()) {
    if (line.name == family + "_bucket") {
      buckets.emplace_back(std::stod(line.labels.at("le")), line.value);
    }
  }
  return buckets;
}

TEST(DistributionMetrics, BoundsArePowersOfTwoOfMicrosecondsToTheDigit) {
  const auto buckets =
      Buckets(TextWith(MakeDistributions()), "sched_cgroup_runqueue_latency_seconds");
  ASSERT_EQ(buckets.size(), 26);
  for (int i = 0; i < 25; ++i) {
    // As somebody writes it who asks for le="0.000128": the number nearest to the decimal.
    EXPECT_EQ(buckets[i].first, static_cast<double>(1U << i) / 1e6) << i;
  }
  EXPECT_EQ(buckets[25].first, HUGE_VAL);
}

TEST(DistributionMetrics, EachBucketHasAllShorterOnes) {
  Distributions distributions;
  for (std::size_t i = 0; i <= kDurationBounds; ++i) {
    distributions.timeslice.buckets[i] = std::uint64_t{1} << i;
  }
  distributions.timeslice.sum_ns = 123'456'789'012;
  const MetricsText text = TextWith(distributions);
  const auto buckets = Buckets(text, "sched_cgroup_timeslice_seconds");
  ASSERT_EQ(buckets.size(), 26);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    EXPECT_EQ(buckets[i].second, static_cast<double>((std::uint64_t{2} << i) - 1)) << i;
  }
  EXPECT_EQ(text.Sum("sched_cgroup_timeslice_seconds_count", {{"cgroup", "/a"}}),
            buckets.back().second);
  EXPECT_DOUBLE_EQ(text.Sum("sched_cgroup_timeslice_seconds_sum", {{"cgroup", "/a"}}),
                   123.456789012);
}

TEST(DistributionMetrics, ACgroupInWhichNothingEndedHasNone) {
  const MetricsText text = TextWith({});
  EXPECT_EQ(text.Count("sched_cgroup_timeslices_total", {{"cgroup", "/a"}}), 1);
  for (const char* part : {"_bucket", "_sum", "_count"}) {
    EXPECT_EQ(text.Count(std::string("sched_cgroup_timeslice_seconds") + part, {}), 0);
    EXPECT_EQ(text.Count(std::string("sched_cgroup_runqueue_latency_seconds") + part, {}), 0);
  }
}

TEST(DistributionMetrics, OtherAndRemovedHaveTheirs) {
  auto sample = std::make_shared<Sample>(test_support::MakeSample());
  sample->report.other_cgroups.distributions = MakeDistributions();
  const auto text = MetricsText::Parse(Serialize(*sample, TextFormat::kClassic));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->Sum("sched_cgroup_timeslice_seconds_count", {{"cgroup", "other"}}), 3);
  EXPECT_EQ(
      text->Sum("sched_removed_cgroup_timeslice_seconds_count", {{"cgroup", "/system.slice"}}), 3);
}

}  // namespace
}  // namespace sched_exporter
