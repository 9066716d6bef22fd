#include "exporter/metrics/text_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <sstream>

#include "tests/support/prometheus_families.h"

namespace sched_exporter {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using testing::ContainerEq;

std::string NumberText(double value, NumberStyle style) {
  std::string text;
  AppendNumber(text, value, style);
  return text;
}

std::string ValueText(Value value, NumberStyle style) {
  std::string text;
  AppendValue(text, value, style);
  return text;
}

/// What prometheus-cpp writes for a number.
std::string PrometheusNumber(double value) {
  MetricFamily family{"x", "", MetricType::Gauge, {}};
  family.metric.emplace_back().gauge.value = value;
  const std::string text = prometheus::TextSerializer().Serialize({family});
  const std::size_t at = text.rfind(' ') + 1;
  return text.substr(at, text.size() - at - 1);
}

/// Of all lengths, and such that are hard to round: near powers of ten and of two, with few digits.
std::vector<std::uint64_t> ManyNumbers(int count) {
  std::vector<std::uint64_t> numbers;
  std::mt19937_64 random(1);
  for (int i = 0; i < count; ++i) {
    numbers.push_back(random() >> (random() % 64));
    std::uint64_t power = 1;
    for (auto zeros = random() % 19; zeros > 0; --zeros) {
      power *= 10;
    }
    numbers.push_back(power * (random() % 1000) + random() % 3 - 1);
  }
  for (int bit = 0; bit < 64; ++bit) {
    for (std::uint64_t i = 0; i < 5; ++i) {
      numbers.push_back((std::uint64_t{1} << bit) + i - 2);
    }
  }
  return numbers;
}

TEST(NumberText, TheClassicOneIsThatOfPrometheusCpp) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double value :
       {0.0, -1.0, 0.1, 9.95, 1e15, 1e16, 1e17, 999'999'999'999'999.0, 1e-9, 1e-5, 0.0001, -2.5e-7,
        1.7976931348623157e308, 5e-324, kInfinity, -kInfinity, std::nan("")}) {
    EXPECT_EQ(NumberText(value, NumberStyle::kClassic), PrometheusNumber(value));
  }
  for (const std::uint64_t number : ManyNumbers(10'000)) {
    for (const Value value : {Count(number), Seconds(number)}) {
      EXPECT_EQ(ValueText(value, NumberStyle::kClassic), PrometheusNumber(value.AsDouble()));
    }
  }
}

/// The same claim with the C library's %.16g, which takes less time: a million numbers.
TEST(NumberText, TheClassicOneHas16Digits) {
  std::array<char, 64> expected{};
  for (const std::uint64_t number : ManyNumbers(500'000)) {
    std::snprintf(expected.data(), expected.size(), "%.16g", Seconds(number).AsDouble());
    ASSERT_EQ(ValueText(Seconds(number), NumberStyle::kClassic), expected.data()) << number;
  }
}

TEST(NumberText, TheShortestOneIsThatOfItsDouble) {
  for (const std::uint64_t number : ManyNumbers(100'000)) {
    for (const Value value : {Count(number), Seconds(number)}) {
      const std::string text = ValueText(value, NumberStyle::kShortest);
      ASSERT_EQ(text, NumberText(value.AsDouble(), NumberStyle::kShortest)) << number;
      // A counter that rests must not seem to change when the format does.
      ASSERT_EQ(std::stod(text), std::stod(ValueText(value, NumberStyle::kClassic))) << number;
    }
  }
}

TEST(NumberText, TheShortestOneIsInFull) {
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
    EXPECT_EQ(NumberText(value, NumberStyle::kShortest), text);
  }
}

std::string ExactSeconds(std::uint64_t ns) {
  std::string text;
  AppendExactSeconds(text, ns);
  return text;
}

TEST(NumberText, ExactSecondsHaveNineDigits) {
  EXPECT_EQ(ExactSeconds(0), "0.000000000");
  EXPECT_EQ(ExactSeconds(1), "0.000000001");
  EXPECT_EQ(ExactSeconds(1'700'000'000'120'000'000), "1700000000.120000000");
  EXPECT_EQ(ExactSeconds(std::numeric_limits<std::uint64_t>::max()), "18446744073.709551615");
}

/// Histograms that share their bounds, and others between them.
void AddHistograms(SeriesSink& sink, const Family& family) {
  std::mt19937_64 random(2);
  const std::vector<std::uint64_t> same{1'000, 9'950'000'000, 123'456'789'012'345};
  sink.Begin(family);
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint64_t> bounds = same;
    if (i % 3 != 0) {
      bounds = {random() % 1'000'000, 1'000'000 + random() % 1'000'000'000, random() | 1ULL << 62};
    }
    const std::vector<std::uint64_t> buckets{random() % 9, random() >> 20, 0, random() >> 40};
    sink.PutHistogram(RowLabels(family, {std::to_string(i)}), {buckets, bounds, random()}, 0);
  }
}

std::vector<std::string> BucketLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with("x_seconds_bucket")) {
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(TextWriter, HistogramsAreThoseOfPrometheusCppLetterByLetter) {
  const Family family{"x_seconds", MetricType::Histogram, "Help.", {"i"}};
  test_support::PrometheusFamilies families;
  AddHistograms(families, family);
  const std::string expected = prometheus::TextSerializer().Serialize(families.Take());
  std::string classic;
  TextWriter writer(classic, TextFormat::kClassic);
  AddHistograms(writer, family);
  EXPECT_EQ(classic, expected);
  std::string open;
  TextWriter open_writer(open, TextFormat::kOpenMetrics);
  AddHistograms(open_writer, family);
  EXPECT_THAT(BucketLines(open), ContainerEq(BucketLines(expected)));
  EXPECT_EQ(BucketLines(open).size(), 400);
}

TEST(TextWriter, ASeriesWithoutLabelsHasNoBraces) {
  const Family gauge{"x", MetricType::Gauge, "", {"a", "b"}};
  const Family histogram{"y", MetricType::Histogram, "", {"a"}};
  std::string text;
  TextWriter writer(text, TextFormat::kClassic);
  writer.Begin(gauge);
  writer.Put(RowLabels(gauge, {"", ""}), Count(1));
  writer.Put({RowLabels(gauge, {""}), "2"}, Count(2));
  writer.Put(RowLabels(gauge, {"", ""}, {{"c", "3"}}), Count(3));
  writer.Begin(histogram);
  const std::vector<std::uint64_t> buckets{4, 5};
  const std::vector<std::uint64_t> bounds{1'000'000'000};
  writer.PutHistogram(RowLabels(), {buckets, bounds, 6'000'000'000}, 0);
  EXPECT_EQ(text,
            "# TYPE x gauge\nx 1\nx{b=\"2\"} 2\nx{c=\"3\"} 3\n"
            "# TYPE y histogram\ny_count 9\ny_sum 6\ny_bucket{le=\"1\"} 4\n"
            "y_bucket{le=\"+Inf\"} 9\n");
}

TEST(TextWriter, AFamilyWithoutSeriesIsLeftOut) {
  const Family family{"x", MetricType::Gauge, "Help.", {}};
  for (const TextFormat format : {TextFormat::kClassic, TextFormat::kOpenMetrics}) {
    std::string text;
    TextWriter writer(text, format);
    writer.Begin(family);
    EXPECT_EQ(text, "");
  }
}

}  // namespace
}  // namespace sched_exporter
