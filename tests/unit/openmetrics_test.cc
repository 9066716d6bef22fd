#include "exporter/metrics/openmetrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <limits>
#include <random>
#include <sstream>

#include "exporter/metrics/families.h"
#include "tests/support/openmetrics_checks.h"
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
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string TextOf(const Sample& sample, TextFormat format = TextFormat::kOpenMetrics) {
  return Serialize(std::make_shared<const Sample>(sample), format);
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

MetricFamily Gauges(const std::string& name, const std::vector<double>& values) {
  MetricFamily family{name, "Help.", MetricType::Gauge, {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = {{"i", std::to_string(i)}};
    metric.gauge.value = values[i];
  }
  return family;
}

std::string TextOf(const MetricFamily& family) {
  std::string text;
  OpenMetricsWriter writer(text);
  writer.Add(family);
  return text;
}

std::string TextOfValue(double value) {
  const std::string text = TextOf(Gauges("x", {value}));
  const std::size_t at = text.rfind(' ') + 1;
  return text.substr(at, text.size() - at - 1);
}

TEST(OpenMetrics, NumbersAreWrittenInFull) {
  const std::vector<std::pair<double, std::string>> cases{
      {0, "0"},
      {-1, "-1"},
      {0.1, "0.1"},
      {1e15, "1e+15"},
      {999'999'999'999'999, "999999999999999"},
      {0.000000001, "1e-09"},
      {2'592'000.000000001, "2592000.000000001"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const auto& [value, text] : cases) {
    EXPECT_EQ(TextOfValue(value), text);
  }
}

TEST(OpenMetrics, EveryNumberReadsAsTheClassicOneDoes) {
  std::mt19937_64 random(1);
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i) {
    // Of all lengths, as nanoseconds become seconds.
    values.push_back(static_cast<double>(random() >> (random() % 64)) / 1e9);
  }
  const MetricFamily family = Gauges("x", values);
  std::istringstream open(TextOf(family));
  std::istringstream classic(prometheus::TextSerializer().Serialize({family}));
  const auto read = [](std::istringstream& lines) {
    std::vector<double> numbers;
    for (std::string line; std::getline(lines, line);) {
      if (line[0] != '#') {
        numbers.push_back(std::stod(line.substr(line.rfind(' '))));
      }
    }
    return numbers;
  };
  EXPECT_EQ(read(open), read(classic));
}

TEST(OpenMetrics, BoundsOfBucketsAreThoseOfTheClassicFormatLetterByLetter) {
  MetricFamily family{"x_seconds", "Help.", MetricType::Histogram, {}};
  std::mt19937_64 random(2);
  for (int i = 0; i < 100; ++i) {
    ClientMetric::Histogram& histogram = family.metric.emplace_back().histogram;
    family.metric.back().label = {{"i", std::to_string(i)}};
    // Some of a family with the same bounds, some with others, and one that was 9.95.
    double bound = i % 3 == 0 ? 9.95 : 0.001 * static_cast<double>(random() % 10'000);
    for (std::uint64_t j = 0; j < 12; ++j, bound *= i % 2 == 0 ? 10 : 1.7) {
      histogram.bucket.push_back({j, bound});
    }
    histogram.sample_count = 99;
  }
  const auto bounds = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("x_seconds_bucket")) {
        all.push_back(line);
      }
    }
    return all;
  };
  const auto open = bounds(TextOf(family));
  EXPECT_THAT(open, ContainerEq(bounds(prometheus::TextSerializer().Serialize({family}))));
  EXPECT_EQ(open.size(), 1'300) << "12 and +Inf each";
}

TEST(OpenMetrics, HelpAndLabelsAreEscaped) {
  MetricFamily family = Gauges("x", {1});
  family.help = "a\"b\\c\nd";
  family.metric[0].label = {{"l", "\"\\\n\"end"}};
  EXPECT_EQ(TextOf(family),
            "# TYPE x gauge\n# HELP x a\\\"b\\\\c\\nd\nx{l=\"\\\"\\\\\\n\\\"end\"} 1\n");
}

TEST(OpenMetrics, InfoIsWhatIsAlwaysOne) {
  EXPECT_THAT(TextOf(Gauges("x_info", {1, 1})),
              AllOf(HasSubstr("# TYPE x info\n"), HasSubstr("\nx_info{i=\"0\"} 1\n")));
  EXPECT_THAT(TextOf(Gauges("x_info", {1, 2})), HasSubstr("# TYPE x_info gauge\n"));
}

TEST(OpenMetrics, ACounterOfAnotherNameKeepsIt) {
  MetricFamily family = Gauges("x_seconds", {1});
  family.type = MetricType::Counter;
  EXPECT_THAT(TextOf(family), AllOf(HasSubstr("# TYPE x_seconds unknown\n"),
                                    HasSubstr("\nx_seconds{i=\"0\"} 0\n")));
}

TEST(OpenMetrics, OnlyWholeWordsAreUnits) {
  EXPECT_THAT(TextOf(Gauges("x_bytes", {1})), HasSubstr("# UNIT x_bytes bytes\n"));
  EXPECT_THAT(TextOf(Gauges("xbytes", {1})), Not(HasSubstr("# UNIT")));
  EXPECT_THAT(TextOf(Gauges("bytes", {1})), Not(HasSubstr("# UNIT")));
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
