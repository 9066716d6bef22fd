#include "exporter/app/report_labels.h"

#include <gtest/gtest.h>

#include "exporter/metrics/exposition.h"
#include "tests/support/metrics_text.h"
#include "tests/support/samples.h"

namespace sched_exporter {
namespace {

using test_support::MetricsText;

constexpr std::size_t kLines = 28;  ///< Of one histogram: 26 buckets, sum and count.

/// How many lines of each family a config leaves of a host with a cgroup, a removed one and
/// `other`.
std::map<std::string, std::size_t> LinesWith(const HistogramsConfig& histograms) {
  auto sample = std::make_shared<Sample>(test_support::MakeSample());
  sample->report.other_cgroups.distributions = test_support::MakeDistributions();
  OmitHistograms(histograms, sample->report);
  const auto text = MetricsText::Parse(Serialize(*sample, TextFormat::kClassic));
  EXPECT_TRUE(text) << text.error().message;
  std::map<std::string, std::size_t> lines;
  for (const std::string family :
       {"sched_cgroup_runqueue_latency_seconds", "sched_cgroup_timeslice_seconds",
        "sched_removed_cgroup_runqueue_latency_seconds", "sched_removed_cgroup_timeslice_seconds",
        "sched_cgroup_timeslices_total", "sched_group_process_lifetime_seconds"}) {
    for (const char* part : {"", "_bucket", "_sum", "_count"}) {
      lines[family] += text->Count(family + part, {});
    }
  }
  return lines;
}

TEST(OmitHistograms, LeavesAllByDefault) {
  const auto lines = LinesWith({});
  EXPECT_EQ(lines.at("sched_cgroup_runqueue_latency_seconds"), 2 * kLines);
  EXPECT_EQ(lines.at("sched_cgroup_timeslice_seconds"), 2 * kLines);
  EXPECT_EQ(lines.at("sched_removed_cgroup_runqueue_latency_seconds"), kLines);
  EXPECT_EQ(lines.at("sched_removed_cgroup_timeslice_seconds"), kLines);
}

TEST(OmitHistograms, TakesOutTheOneThatIsOffAndNothingElse) {
  const auto all = LinesWith({});
  auto expected = all;
  expected["sched_cgroup_timeslice_seconds"] = 0;
  expected["sched_removed_cgroup_timeslice_seconds"] = 0;
  EXPECT_EQ(LinesWith({.runqueue_latency = true, .timeslice = false}), expected);
  expected = all;
  expected["sched_cgroup_runqueue_latency_seconds"] = 0;
  expected["sched_removed_cgroup_runqueue_latency_seconds"] = 0;
  EXPECT_EQ(LinesWith({.runqueue_latency = false, .timeslice = true}), expected);
}

}  // namespace
}  // namespace sched_exporter
