// `sched_exporter top-series`: its numbers against those that a parser of the tests counts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Ended TopSeries(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {ExporterBinary(), "top-series"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(argv);
}

/// The count in the line that ends with `text`; 0 where there is none.
std::uint64_t CountBefore(const std::string& output, const std::string& text) {
  const std::size_t end = output.find("%  " + text + "\n");
  const std::size_t start = end == std::string::npos ? 0 : output.rfind('\n', end);
  return end == std::string::npos ? 0 : std::stoull(output.substr(start));
}

/// The family of a line of a sched_exporter, whose only histograms these are.
std::string FamilyOf(const std::string& name) {
  for (const std::string histogram :
       {"sched_group_process_lifetime_seconds", "sched_cgroup_runqueue_latency_seconds",
        "sched_cgroup_timeslice_seconds", "sched_removed_cgroup_runqueue_latency_seconds",
        "sched_removed_cgroup_timeslice_seconds"}) {
    if (name.starts_with(histogram)) {
      return histogram;
    }
  }
  return name;
}

class TopSeriesOfScrape : public testing::Test {
 protected:
  void SetUp() override {
    auto exporter = Exporter::Start();
    ASSERT_TRUE(exporter) << exporter.error().message;
    const auto text = (*exporter)->ScrapeText();
    ASSERT_TRUE(text);
    text_ = *text;
    file_ = directory_.Write("scrape", text_);
    auto parsed = MetricsText::Parse(text_);
    ASSERT_TRUE(parsed);
    lines_ = parsed->lines();
  }

  TempDirectory directory_;
  std::string text_;
  std::string file_;
  std::vector<Line> lines_;
};

TEST_F(TopSeriesOfScrape, CountsAreTheTestsOwn) {
  std::map<std::string, std::uint64_t> families;
  std::map<std::string, std::map<std::string, std::uint64_t>> labels;
  for (const Line& line : lines_) {
    ++families[FamilyOf(line.name)];
    for (const auto& [name, value] : line.labels) {
      ++labels[name][value];
    }
  }
  const Ended ended = TopSeries({file_, "--count", "100000"});
  ASSERT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, StartsWith(std::to_string(lines_.size()) + " series, " +
                                       std::to_string(text_.size()) + " bytes\n"));
  for (const auto& [name, count] : families) {
    EXPECT_EQ(CountBefore(ended.output, name), count) << name;
  }
  for (const auto& [name, values] : labels) {
    const std::size_t section =
        ended.output.find("\nlabel " + name + ": " + std::to_string(values.size()) + " value");
    ASSERT_NE(section, std::string::npos) << name;
    const std::string rest =
        ended.output.substr(section, ended.output.find("\n\n", section + 1) - section + 1);
    for (const auto& [value, count] : values) {
      if (value.find('\\') == std::string::npos) {  // those are shown with escapes
        EXPECT_EQ(CountBefore(rest, "\"" + value + "\""), count) << name << " " << value;
      }
    }
  }
}

TEST_F(TopSeriesOfScrape, ShowsTheMostOfEach) {
  const Ended ended = TopSeries({"--count=2", file_});
  EXPECT_THAT(ended.output, HasSubstr("\nfamilies: the top 2 of "));
  EXPECT_THAT(ended.output, AllOf(HasSubstr("\nlabel pid: "), HasSubstr("\nlabel mode: 3 values")));
  EXPECT_THAT(ended.output, HasSubstr("  pid: limits.processes"));
  EXPECT_THAT(ended.output, HasSubstr("  le: histograms takes"));
}

TEST_F(TopSeriesOfScrape, StandardInputIsAnotherSource) {
  const Ended ended = RunProgram({"sh", "-c", ExporterBinary() + " top-series - <" + file_});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.output, TopSeries({file_}).output);
}

TEST(TopSeries, AsksTheExporterThatTheFlagsName) {
  const auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const std::string port = std::to_string((*exporter)->port());
  for (const std::string host : {"", "127.0.0.1", "0.0.0.0", "localhost"}) {
    std::string flag = "--web.listen-address=";
    flag.append(host).append(":").append(port);
    const Ended ended = RunProgram({ExporterBinary(), flag, "top-series"});
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr("  sched_process_cpu_seconds_total\n"));
  }
  const Ended by_url = TopSeries({"http://127.0.0.1:" + port + "/metrics"});
  EXPECT_EQ(by_url.exit_code, 0) << by_url.output;
  const Ended not_found = TopSeries({"http://127.0.0.1:" + port + "/nothing"});
  EXPECT_EQ(not_found.exit_code, 1);
  EXPECT_THAT(not_found.output, HasSubstr("404"));
}

TEST(TopSeries, OtherExportersAndHostileValues) {
  const TempDirectory directory;
  const std::string file = directory.Write(
      "scrape",
      "# HELP x {y=\"\\\n# TYPE x summary\nx{quantile=\"0.5\",v=\"a\\\"} 9\\\\\"} NaN 17\n"
      "x_sum{v=\"\\n\x1b[31m\"} +Inf\nx_count{v=\"\xff\"} 1\ny 1\n");
  const Ended ended = TopSeries({file});
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, StartsWith("4 series, "));
  EXPECT_EQ(CountBefore(ended.output, "x"), 3U);
  EXPECT_EQ(CountBefore(ended.output, R"("\x0a\x1b[31m")"), 1U);
  EXPECT_EQ(CountBefore(ended.output, R"("a"} 9\\")"), 1U);
  EXPECT_THAT(ended.output, Not(HasSubstr("sched_exporter")));
}

TEST(TopSeries, MistakesAreOneLine) {
  const TempDirectory directory;
  const std::string html = directory.Write("html", "<!DOCTYPE html>\n");
  const std::string third = directory.Write("third", "a 1\n\na{b=\"\\q\"} 1\n");
  const std::string cut = directory.Write("cut", "a 1\nb");
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {html, "line 1 is no metric: expected a metric's name at column 1: \"<!DOCTYPE html>\""},
      {third, "line 3 is no metric: expected \\, \" or n after a backslash at column 7"},
      {cut, "cut off in line 2"},
      {directory.Write("empty", ""), "there is no series in it"},
      {directory.path() + "/none", "No such file or directory"},
      {directory.path(), "Is a directory"},
      {"https://127.0.0.1:1/metrics", "Connection refused"},
      {"http://me:secret@127.0.0.1/", "(URL with a user name)"},
      {"http://127.0.0.1:1/", "Connection refused"}};
  for (const auto& [source, expected] : mistakes) {
    const Ended ended = TopSeries({source});
    EXPECT_EQ(ended.exit_code, 1) << source;
    EXPECT_THAT(ended.output, AllOf(StartsWith("sched_exporter: "), HasSubstr(expected)));
    EXPECT_EQ(ended.output.find('\n'), ended.output.size() - 1) << ended.output;
    EXPECT_THAT(ended.output, Not(HasSubstr("secret")));
  }
  EXPECT_EQ(TopSeries({"--count=0"}).exit_code, 2);
  EXPECT_EQ(TopSeries({"a", "b"}).exit_code, 2);
}

}  // namespace
}  // namespace sched_exporter::test_support
