#include "exporter/app/series_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "exporter/app/top_series_text.h"
#include "exporter/metrics/sample_line.h"

namespace sched_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string LineError(const std::string& line) {
  const auto read = ReadSampleLine(line);
  return read ? "good" : read.error().message;
}

TEST(SampleLine, ReadsNameLabelsAndEscapes) {
  const auto line = ReadSampleLine(R"( a:b_1 { x = "q\"\\\n}," , y="" , } -1.5e3 1700000000000)");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->name, "a:b_1");
  EXPECT_THAT(line->labels, ElementsAre(Pair("x", "q\"\\\n},"), Pair("y", "")));
}

TEST(SampleLine, TakesWhatTheFormatHas) {
  for (const char* line : {"", "  ", "#", "# anything", "#TYPE a counter", "# HELP a b \\ c",
                           "# TYPE a histogram", "# TYPE a untyped ", "a 1", "a\t+Inf", "a -inf",
                           "a NaN", "a{} 0", "a{b=\"\"} .5", "a +1", "a 1e-9 -5", "a{b=\"}\"}1"}) {
    EXPECT_EQ(LineError(line), "good") << line;
  }
}

TEST(SampleLine, RefusesTheRestAndSaysWhere) {
  EXPECT_EQ(LineError("1a 1"), "expected a metric's name at column 1");
  EXPECT_EQ(LineError("{b=\"\"} 1"), "expected a metric's name at column 1");
  EXPECT_EQ(LineError("a"), "expected a number before at column 2");
  EXPECT_EQ(LineError("a{b=\"c\"} "), "expected a number before at column 10");
  EXPECT_EQ(LineError("a{b=\"c} 1"), "expected \" after the label's value at column 10");
  EXPECT_EQ(LineError("a{b=\"\\x\"} 1"), "expected \\, \" or n after a backslash at column 7");
  EXPECT_EQ(LineError("a{b=\"\\"), "expected \\, \" or n after a backslash at column 7");
  for (const char* line : {"a{",
                           "a{b",
                           "a{b=",
                           "a{b=\"",
                           "a{b=c} 1",
                           "a{b:c=\"\"} 1",
                           "a{,} 1",
                           "a{b=\"\"c=\"\"} 1",
                           "a{b=\"\",,} 1",
                           "a 1 x",
                           "a 1 1 1",
                           "a 0x1",
                           "a +-1",
                           "a 1_0",
                           "a nan(1)",
                           "a 1\r",
                           "a 1 # {id=\"x\"} 1",
                           "<html>",
                           "\x1f\x8b\x08",
                           "# TYPE a",
                           "# TYPE a gaugehistogram",
                           "# TYPE a counter x",
                           "# TYPE 1 counter"}) {
    EXPECT_THAT(LineError(line), HasSubstr("expected ")) << line;
  }
}

/// Takes `text` in parts of `bytes`.
Result<void> Take(SeriesCount& count, const std::string& text, std::size_t bytes = 7) {
  for (std::size_t at = 0; at < text.size(); at += bytes) {
    if (auto taken = count.Take(text.substr(at, bytes)); !taken) {
      return taken;
    }
  }
  return count.Finish();
}

constexpr char kText[] =
    "# TYPE h histogram\n"
    "h_bucket{le=\"1\",x=\"a\"} 1\n"
    "h_bucket{le=\"+Inf\",x=\"a\"} 2\n"
    "h_sum{x=\"a\"} 3\n"
    "h_count{x=\"a\"} 2\n"
    "\n"
    "# TYPE h_total counter\n"
    "h_total{x=\"b\\n\\\"\"} 1\n"
    "h_bucket_total 1\n"
    "h_sum 1\n";

TEST(SeriesCount, CountsFamiliesAndLabels) {
  for (std::size_t part = 1; part < sizeof(kText) + 1; part += 5) {
    SeriesCount count;
    const auto taken = Take(count, kText, part);
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(count.series(), 7U);
    EXPECT_EQ(count.bytes(), sizeof(kText) - 1);
    EXPECT_THAT(count.TopFamilies(9), ElementsAre(Pair("h", 4), Pair("h_bucket_total", 1),
                                                  Pair("h_sum", 1), Pair("h_total", 1)));
    const std::vector<LabelCount> labels = count.Labels(1);
    ASSERT_EQ(labels.size(), 2U);
    EXPECT_EQ(labels[1].name, "x");
    EXPECT_EQ(labels[1].series, 5U);
    EXPECT_EQ(labels[1].values, 2U);
    EXPECT_THAT(labels[1].top, ElementsAre(Pair("a", 4)));
  }
}

TEST(SeriesCount, SaysWhichLineIsNoMetric) {
  SeriesCount count;
  const auto taken = Take(count, "a 1\n# x\n<a href=\"\x1b[31m\">\na 2\n");
  ASSERT_FALSE(taken);
  EXPECT_EQ(
      taken.error().message,
      "line 3 is no metric: expected a metric's name at column 1: \"<a href=\"\\x1b[31m\">\"");
}

TEST(SeriesCount, RefusesACutTextAndAnEmptyOne) {
  SeriesCount cut;
  EXPECT_THAT(Take(cut, "a 1\na 12").error().message, HasSubstr("cut off in line 2"));
  SeriesCount empty;
  EXPECT_THAT(Take(empty, "# only\n").error().message, HasSubstr("no series"));
}

TEST(SeriesCount, ALineHasABound) {
  SeriesCount count;
  const std::string part(65'536, 'a');
  Result<void> taken;
  for (int i = 0; i < 17 && taken; ++i) {
    taken = count.Take(part);
  }
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("line 1 is no metric: it has more than 1048576"));
}

TEST(SeriesCount, MemoryHasABound) {
  SeriesCount count(10'000);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(count.Take("a{x=\"" + std::to_string(i) + "\"} 1\n"));
  }
  EXPECT_EQ(count.series(), 1'000U);
  EXPECT_TRUE(count.IsPartial());
  EXPECT_LT(count.Labels(1).at(0).values, 110U);
  EXPECT_THAT(TopSeriesText(count, 10), HasSubstr("too many names and values"));
}

TEST(TopSeriesText, SaysWhatAConfigCanDoOnlyOfOurs) {
  SeriesCount others;
  ASSERT_TRUE(Take(others, "a{pid=\"1\"} 1\n"));
  EXPECT_THAT(TopSeriesText(others, 10), Not(HasSubstr("limits.")));
  SeriesCount ours;
  ASSERT_TRUE(Take(ours, "sched_process_threads{pid=\"1\"} 1\n"));
  EXPECT_THAT(TopSeriesText(ours, 10), HasSubstr("  pid: limits.processes"));
  EXPECT_THAT(TopSeriesText(ours, 10), Not(HasSubstr("limits.groups")));
}

TEST(TopSeriesText, ValuesArePrintableInOneLine) {
  SeriesCount count;
  ASSERT_TRUE(Take(count, "a{x=\"\\n\x1b[2J\"} 1\na{x=\"" + std::string(500, 'y') + "\"} 1\n"));
  const std::string text = TopSeriesText(count, 10);
  EXPECT_THAT(text, HasSubstr("         1   50.0%  \"\\x0a\\x1b[2J\"\n"));
  EXPECT_THAT(text, HasSubstr(std::string(100, 'y') + "...\"\n"));
  EXPECT_THAT(text, Not(HasSubstr(std::string(101, 'y'))));
}

}  // namespace
}  // namespace sched_exporter
