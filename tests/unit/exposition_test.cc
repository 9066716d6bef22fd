#include "exporter/metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "exporter/metrics/families.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/metrics_text.h"
#include "tests/support/prometheus_families.h"
#include "tests/support/samples.h"

namespace sched_exporter {
namespace {

using test_support::MakeHostileSample;
using test_support::MakeProcess;
using test_support::MakeSample;
using test_support::MetricsText;
using test_support::Named;
using testing::IsEmpty;

std::string TextOf(const Sample& sample) { return Serialize(sample, TextFormat::kClassic); }

void ExpectGolden(const Sample& sample, const std::string& name) {
  test_support::ExpectGolden(TextOf(sample), name);
}

TEST(Exposition, OfAHostIsExactlyThis) { ExpectGolden(MakeSample(), "host.txt"); }

TEST(Exposition, OfAnEmptyReportIsExactlyThis) { ExpectGolden({}, "empty.txt"); }

TEST(Exposition, OfHostileNamesIsExactlyThis) { ExpectGolden(MakeHostileSample(), "hostile.txt"); }

TEST(Exposition, IsWhatPrometheusCppWritesLetterByLetter) {
  Sample large = MakeSample();
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  NamedRow& group = large.report.groups[0];
  group.totals = {kMost,
                  std::uint64_t{1} << 53,
                  9'950'000'000,
                  1'000'000'000'000'000,
                  kMost,
                  9'999'999'999'999'999,
                  0};
  // As `le`, too: bounds are seconds; the counts are integers of any size.
  group.lifecycle.lifetimes.buckets.fill(kMost / 20 + 1);
  group.lifecycle.lifetimes.sum_ns = kMost;
  for (const Sample& sample : {MakeSample(), MakeHostileSample(), Sample(), large}) {
    EXPECT_EQ(TextOf(sample), test_support::PrometheusTextOf(sample));
  }
}

/// Names of any bytes, of which the rows have all that the model can have.
TEST(Exposition, IsWhatPrometheusCppWritesOfAnyNamesAndNumbers) {
  std::mt19937_64 random(1);
  const auto number = [&random] { return random() >> (random() % 64); };
  const auto name = [&random] {
    std::string bytes(random() % 9, ' ');
    for (char& byte : bytes) {
      byte =
          "\n\"\\{},= \xff\x01"
          "a"[random() % 11];
    }
    return bytes;
  };
  Sample sample = MakeSample();
  sample.boot_unix_ns = 1'700'000'000'123'456'789;
  for (std::uint32_t i = 0; i < 300; ++i) {
    ProcessRow process = MakeProcess(1000 + i, name());
    process.group = name();
    process.totals = {number(), number(), number(), number(), number(), number(), number()};
    process.population.oldest_start_ns = number() % 1'000'000'000'000'000;
    process.cgroup_labels = {{"unit", name()}};
    sample.report.processes.push_back(process);
    NamedRow row = Named(name());
    row.labels = {{"pod", name()}, {"unit", name()}};
    row.lifecycle.exits = {{static_cast<ExitCode>(i), number()}};
    row.distributions.timeslice.buckets[i % 26] = number();
    row.distributions.timeslice.sum_ns = number();
    sample.report.cgroups.push_back(row);
  }
  EXPECT_EQ(TextOf(sample), test_support::PrometheusTextOf(sample));
}

TEST(Exposition, HostileNamesComeBackAsTheyWere) {
  const Sample sample = MakeHostileSample();
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  const ProcessRow& row = sample.report.processes[0];
  EXPECT_EQ(text->Count("sched_process_info", {{"comm", row.comm}, {"exe", row.exe}}), 1);
  EXPECT_EQ(text->Count("sched_exporter_build_info", {{"version", "\"\\"}}), 1);
  EXPECT_EQ(text->Sum("sched_group_exits_total", {{"group", row.group}, {"code", "SIGKILL"}}), 2);
  EXPECT_EQ(text->Sum("sched_group_process_lifetime_seconds_count", {{"group", row.group}}), 4);
}

TEST(Exposition, IsWhatPromtoolLikes) {
  for (const Sample& sample : {MakeSample(), MakeHostileSample()}) {
    const test_support::Ended check = test_support::PromtoolCheck(TextOf(sample));
    EXPECT_EQ(check.exit_code, 0) << check.output;
    EXPECT_EQ(check.output, "");
  }
}

TEST(Exposition, HasNoSeriesTwice) {
  Sample sample = MakeSample();
  for (std::uint32_t i = 0; i < 300; ++i) {
    sample.report.processes.push_back(MakeProcess(1000 + i, "many"));
  }
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(test_support::DuplicateSeries(*text), IsEmpty());
}

TEST(Exposition, HasFiniteNumbersOnly) {
  Sample sample = MakeSample();
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  sample.report.groups[0].totals = {kMost, kMost, kMost, kMost, kMost, kMost, kMost};
  constexpr ExitCode kLastCode = std::numeric_limits<ExitCode>::max();
  sample.report.groups[0].lifecycle.exits = {{kLastCode - 1, kMost}, {kLastCode, kMost}};
  sample.report.groups[0].lifecycle.lifetimes.sum_ns = kMost;
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  for (const test_support::Line& line : text->lines()) {
    EXPECT_TRUE(std::isfinite(line.value)) << line.name;
  }
}

TEST(Exposition, KeepsNanosecondsForYears) {
  Sample sample;
  // 30 days of CPU time and one nanosecond more must differ.
  sample.report.groups = {Named("a"), Named("b")};
  sample.report.groups[0].totals.user_ns = 2'592'000'000'000'000;
  sample.report.groups[1].totals.user_ns = 2'592'000'000'000'001;
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_LT(text->Sum("sched_group_cpu_seconds_total", {{"group", "a"}}),
            text->Sum("sched_group_cpu_seconds_total", {{"group", "b"}}));
}

TEST(Exposition, AGroupWithoutAProcessHasNoStartTime) {
  Sample sample = MakeSample();
  sample.report.groups[0].population = {};
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->Count("sched_group_oldest_start_time_seconds", {{"group", "nginx"}}), 0);
  EXPECT_EQ(text->Count("sched_group_processes", {{"group", "nginx"}}), 1);
}

TEST(Exposition, OtherIsThereOnlyWhereSomethingWasFolded) {
  Sample sample = MakeSample();
  sample.report.other_groups.present = false;
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->Count("sched_group_cpu_seconds_total", {{"group", "other"}}), 0);
  EXPECT_EQ(text->Count("sched_cgroup_cpu_seconds_total", {{"cgroup", "other"}}), 2);
  EXPECT_EQ(text->Count("sched_process_cpu_seconds_total",
                        {{"pid", "other"}, {"comm", "other"}, {"group", "other"}}),
            2);
}

/// The bucket counts of a group, by `le` as it is written.
std::map<std::string, double> BucketsOf(const MetricsText& text, const std::string& group) {
  std::map<std::string, double> buckets;
  for (const test_support::Line& line : text.lines()) {
    if (line.name == "sched_group_process_lifetime_seconds_bucket" &&
        line.labels.at("group") == group) {
      buckets[line.labels.at("le")] = line.value;
    }
  }
  return buckets;
}

TEST(Exposition, LifetimesAreCountedFromTheShortestUp) {
  const auto text = MetricsText::Parse(TextOf(MakeSample()));
  ASSERT_TRUE(text) << text.error().message;
  const std::map<std::string, double> expected{
      {"0.001", 0}, {"0.005", 1}, {"0.01", 2},  {"0.05", 2}, {"0.1", 2}, {"0.5", 2},
      {"1", 2},     {"5", 2},     {"10", 2},    {"60", 3},   {"300", 3}, {"1800", 3},
      {"3600", 3},  {"21600", 3}, {"86400", 3}, {"+Inf", 4}};
  EXPECT_EQ(BucketsOf(*text, "nginx"), expected);
  EXPECT_DOUBLE_EQ(text->Sum("sched_group_process_lifetime_seconds_sum", {{"group", "nginx"}}),
                   90'030.010000001);
}

TEST(Exposition, EveryExitHasALifetime) {
  const auto text = MetricsText::Parse(TextOf(MakeSample()));
  ASSERT_TRUE(text) << text.error().message;
  for (const std::string group : {"nginx", "other"}) {
    EXPECT_EQ(text->Sum("sched_group_process_lifetime_seconds_count", {{"group", group}}),
              text->Sum("sched_group_exits_total", {{"group", group}}))
        << group;
  }
}

TEST(Exposition, AGroupWithoutExitsHasNoLifetimes) {
  Sample sample = MakeSample();
  sample.report.groups[0].lifecycle = {};
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(BucketsOf(*text, "nginx"), IsEmpty());
  EXPECT_EQ(text->Count("sched_group_exits_total", {{"group", "nginx"}}), 0);
  EXPECT_EQ(text->Count("sched_group_exec_failures_total", {{"group", "nginx"}}), 0);
  for (const char* family : {"sched_group_execs_total", "sched_group_forks_total",
                             "sched_group_thread_starts_total", "sched_group_oom_kills_total"}) {
    EXPECT_EQ(text->Count(family, {{"group", "nginx"}}), 1) << family;
    EXPECT_EQ(text->Sum(family, {{"group", "nginx"}}), 0) << family;
  }
}

TEST(Exposition, ExitsAreByCodeOrSignal) {
  Sample sample = MakeSample();
  std::map<ExitCode, std::uint64_t>& exits = sample.report.cgroups[0].lifecycle.exits;
  exits.clear();
  for (ExitCode code = 0; code < kSignalBase + 128; ++code) {
    exits[code] = code + 1;
  }
  const auto text = MetricsText::Parse(TextOf(sample));
  ASSERT_TRUE(text) << text.error().message;
  const std::string cgroup = sample.report.cgroups[0].name;
  EXPECT_EQ(text->Count("sched_cgroup_exits_total", {{"cgroup", cgroup}}), kSignalBase + 128);
  EXPECT_THAT(test_support::DuplicateSeries(*text), IsEmpty());
  const std::map<std::string, ExitCode> some{
      {"0", 0}, {"255", 255}, {"SIGHUP", kSignalBase + 1}, {"SIGTERM", kSignalBase + 15}};
  for (const auto& [name, code] : some) {
    EXPECT_EQ(text->Sum("sched_cgroup_exits_total", {{"cgroup", cgroup}, {"code", name}}), code + 1)
        << name;
  }
}

TEST(Exposition, LivesOfTheFoldedAreInOther) {
  const auto text = MetricsText::Parse(TextOf(MakeSample()));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->Sum("sched_group_forks_total", {{"group", "other"}}), 7);
  EXPECT_EQ(text->Sum("sched_cgroup_forks_total", {{"cgroup", "other"}}), 7);
  EXPECT_EQ(text->Count("sched_group_execs_total", {{"group", "other"}}), 1);
  EXPECT_EQ(text->Sum("sched_cgroup_exits_total", {{"cgroup", "other"}, {"code", "1"}}), 1);
  EXPECT_EQ(BucketsOf(*text, "other").at("0.001"), 1);
}

TEST(Exposition, HasOnlyFamiliesOfTheTable) {
  const Families families;
  std::map<std::string, const Family*> table;
  for (const Family* family : families.All()) {
    EXPECT_TRUE(table.emplace(family->name, family).second) << "twice: " << family->name;
    EXPECT_EQ(family->help.find_first_of("\\\n"), std::string::npos) << family->name;
  }
  std::size_t met = 0;
  for (const auto& made : test_support::FamiliesOf(MakeSample())) {
    ASSERT_TRUE(table.contains(made.name)) << made.name;
    ++met;
    for (const auto& metric : made.metric) {
      const Family& family = *table[made.name];
      std::vector<std::string> labels;
      for (const auto& label : metric.label) {
        const std::vector<std::string>& more = family.more_labels;
        const bool is_extra = std::find(more.begin(), more.end(), label.name) != more.end();
        // `team` is of the rule that named the group.
        if (!is_extra && label.name != "team") {
          labels.push_back(label.name);
        }
      }
      EXPECT_EQ(labels, family.labels) << made.name;
    }
  }
  EXPECT_EQ(met, table.size()) << "the sample fills every family";
}

}  // namespace
}  // namespace sched_exporter
