#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/metrics/families.h"
#include "exporter/metrics/text_writer.h"
#include "tests/support/openmetrics_checks.h"
#include "tests/support/prometheus_families.h"
#include "tests/support/samples.h"

namespace sched_exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using test_support::MakeHostileSample;
using test_support::MakeSample;
using testing::AllOf;
using testing::ContainerEq;
using testing::HasSubstr;
using testing::Not;

std::string TextOf(const Sample& sample, TextFormat format = TextFormat::kOpenMetrics) {
  return Serialize(sample, format);
}

Sample WithCreated(Sample sample) {
  sample.tells_created = true;
  return sample;
}

std::vector<std::string> Checked(const Result<std::vector<std::string>>& series) {
  EXPECT_TRUE(series) << series.error().message;
  return series.value_or(std::vector<std::string>{});
}

TEST(OpenMetrics, OfAHostIsExactlyThis) {
  test_support::ExpectGolden(TextOf(MakeSample()), "host.openmetrics.txt");
}

TEST(OpenMetrics, WithCreatedOfAHostIsExactlyThis) {
  test_support::ExpectGolden(TextOf(WithCreated(MakeSample())), "created.openmetrics.txt");
}

TEST(OpenMetrics, OfAnEmptyReportIsExactlyThis) {
  test_support::ExpectGolden(TextOf({}), "empty.openmetrics.txt");
}

TEST(OpenMetrics, OfHostileNamesIsExactlyThis) {
  test_support::ExpectGolden(TextOf(MakeHostileSample()), "hostile.openmetrics.txt");
}

/// A counter that stood still must not seem to go back when the format changes, and no series may
/// have another name.
TEST(OpenMetrics, HasTheSeriesAndValuesOfTheClassicFormat) {
  Sample large = MakeSample();
  // More digits than a double has.
  large.report.groups[0].totals = {
      12'345'678'901'234'567, 98'765'432'109'876'543, 18'014'398'509'481'985, 9'007'199'254'740'993,
      1'000'000'000'000'000,  std::uint64_t{1} << 63, 999'999'999'999'999};
  for (const Sample& sample : {MakeSample(), MakeHostileSample(), Sample(), large}) {
    const auto open = Checked(test_support::SeriesOfOpenMetrics(TextOf(sample)));
    const auto classic =
        Checked(test_support::SeriesOfClassic(TextOf(sample, TextFormat::kClassic)));
    EXPECT_THAT(open, ContainerEq(classic));
    EXPECT_GT(open.size(), 10);
  }
}

TEST(OpenMetrics, CreatedAddsASampleToEachCounterAndHistogramAndChangesNoOther) {
  for (const Sample& sample : {MakeSample(), MakeHostileSample()}) {
    const auto with = Checked(test_support::SeriesOfOpenMetrics(TextOf(WithCreated(sample))));
    std::vector<std::string> others;
    std::size_t created = 0;
    std::size_t counts = 0;
    for (const std::string& series : with) {
      const std::string name = series.substr(2, series.find('"', 2) - 2);
      if (name.ends_with("_created")) {
        ++created;
      } else {
        others.push_back(series);
        counts += name.ends_with("_total") || name.ends_with("_seconds_count") ? 1 : 0;
      }
    }
    EXPECT_EQ(others, Checked(test_support::SeriesOfOpenMetrics(TextOf(sample))));
    EXPECT_EQ(created, counts);
  }
}

TEST(OpenMetrics, TheDraftIsTheSameText) {
  EXPECT_EQ(TextOf(MakeSample(), TextFormat::kOpenMetricsAsDraft), TextOf(MakeSample()));
}

TEST(OpenMetrics, EveryCounterOfTheTableIsOne) {
  const Families families;
  for (const Family* family : families.All()) {
    EXPECT_EQ(family->type == MetricType::Counter, family->name.ends_with("_total"))
        << family->name;
    EXPECT_FALSE(family->name.ends_with("_created")) << family->name;
  }
}

/// What the writer makes of gauges with one label.
std::string TextOfGauges(const std::string& name, const std::vector<Value>& values,
                         const std::string& help = "Help.") {
  const Family family{name, MetricType::Gauge, help, {"i"}};
  std::string text;
  TextWriter writer(text, TextFormat::kOpenMetrics);
  writer.Begin(family);
  for (std::size_t i = 0; i < values.size(); ++i) {
    writer.Put(RowLabels(family, {std::to_string(i)}), values[i]);
  }
  return text;
}

TEST(OpenMetrics, HelpAndLabelsAreEscaped) {
  const Family family{"x", MetricType::Gauge, "a\"b\\c\nd", {"l"}};
  std::string text;
  TextWriter writer(text, TextFormat::kOpenMetrics);
  writer.Begin(family);
  writer.Put(RowLabels(family, {"\"\\\n\"end"}), Count(1));
  EXPECT_EQ(text, "# TYPE x gauge\n# HELP x a\\\"b\\\\c\\nd\nx{l=\"\\\"\\\\\\n\\\"end\"} 1\n");
}

TEST(OpenMetrics, InfoIsWhatIsAlwaysOne) {
  EXPECT_THAT(TextOfGauges("x_info", {Count(1), Count(1)}),
              AllOf(HasSubstr("# TYPE x info\n"), HasSubstr("\nx_info{i=\"0\"} 1\n")));
  std::size_t met = 0;
  for (const MetricFamily& family : test_support::FamiliesOf(MakeSample())) {
    for (const ClientMetric& metric : family.metric) {
      met += family.name.ends_with("_info") ? 1 : 0;
      EXPECT_TRUE(!family.name.ends_with("_info") || metric.gauge.value == 1) << family.name;
    }
  }
  EXPECT_EQ(met, 3) << "of a process, the build and the mode";
}

TEST(OpenMetrics, ACounterOfAnotherNameKeepsIt) {
  const Family family{"x_seconds", MetricType::Counter, "Help.", {"i"}};
  std::string text;
  TextWriter writer(text, TextFormat::kOpenMetrics);
  writer.Begin(family);
  writer.PutCounter(RowLabels(family, {"0"}), Count(0), 0);
  EXPECT_THAT(
      text, AllOf(HasSubstr("# TYPE x_seconds unknown\n"), HasSubstr("\nx_seconds{i=\"0\"} 0\n")));
}

TEST(OpenMetrics, OnlyWholeWordsAreUnits) {
  EXPECT_THAT(TextOfGauges("x_bytes", {Count(1)}), HasSubstr("# UNIT x_bytes bytes\n"));
  EXPECT_THAT(TextOfGauges("xbytes", {Count(1)}), Not(HasSubstr("# UNIT")));
  EXPECT_THAT(TextOfGauges("bytes", {Count(1)}), Not(HasSubstr("# UNIT")));
}

/// The check finds what it is there for.
TEST(OpenMetrics, TheCheckRefusesWhatIsNotTheFormat) {
  const std::string good =
      "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds A.\n"
      "a_seconds_total{l=\"x\"} 1\n";
  EXPECT_TRUE(test_support::SeriesOfOpenMetrics(good + "# EOF\n"));
  const std::string end = "# EOF\n";
  for (const std::string& bad :
       {good, good + "# EOF", good + end + "\n", good + good + end,
        good + "# TYPE b gauge\n# HELP b B.\nb 1\na_seconds_total{l=\"y\"} 1\n" + end,
        good + "a_seconds_total{l=\"x\\y\"} 1\n" + end,
        good + "a_seconds_total{l=\"y\",} 1\n" + end, good + "a_seconds{l=\"y\"} 1\n" + end,
        good + "a_seconds_total{l=\"y\"} -1\n" + end, good + "a_seconds_total{l=\"y\"} NaN\n" + end,
        "# HELP a A.\n# TYPE a gauge\na 1\n" + end, "# TYPE a gauge\na 1\n" + end,
        "# TYPE a_bytes gauge\n# HELP a_bytes A.\na_bytes 1\n" + end,
        std::string("# TYPE a gauge\n# HELP a A \" quote.\na 1\n") + end}) {
    EXPECT_FALSE(test_support::SeriesOfOpenMetrics(bad)) << bad;
  }
}

}  // namespace
}  // namespace sched_exporter
