#include "exporter/metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <sstream>

#include "exporter/metrics/families.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/metrics_text.h"

namespace sched_exporter {
namespace {

using test_support::MetricsText;
using testing::IsEmpty;

std::string TextOf(const Sample& sample) {
  return SerializeText(SampleCollectable(std::make_shared<const Sample>(sample)));
}

std::string ReadGolden(const std::string& name) {
  std::ifstream file(SOURCE_DIR "/tests/golden/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The exact text; what there is instead is left beside the tests.
void ExpectGolden(const Sample& sample, const std::string& name) {
  const std::string text = TextOf(sample);
  const std::string actual = BINARY_DIR "/tests/" + name;
  std::ofstream(actual) << text;
  EXPECT_TRUE(text == ReadGolden(name))
      << "diff " << SOURCE_DIR "/tests/golden/" << name << " " << actual;
}

ProcessRow MakeProcess(std::uint32_t pid, const std::string& comm) {
  ProcessRow row;
  row.pid = pid;
  row.ppid = 1;
  row.comm = comm;
  row.group = comm;
  row.cgroup = "/system.slice/" + comm + ".service";
  row.cgroup_labels = {{"unit", comm + ".service"}};
  row.exe = "/usr/bin/" + comm;
  row.user = "www-data";
  row.population = {3, 1, 5'000'000'000};
  row.totals = {1'500'000'000, 250'000'000, 7'000'000, 11, 6, 4, 2};
  return row;
}

/// Four exits, two of them by a signal, and all else that can happen.
Lifecycle MakeLifecycle() {
  Lifecycle lifecycle;
  lifecycle.execs = 21;
  lifecycle.forks = 22;
  lifecycle.thread_starts = 23;
  lifecycle.oom_kills = 1;
  lifecycle.exits = {{0, 1}, {255, 1}, {kSignalBase + SIGKILL, 2}};
  lifecycle.exec_failures = {{ENOENT, 5}, {EACCES, 6}};
  lifecycle.lifetimes.Add(5'000'000);
  lifecycle.lifetimes.Add(5'000'001);
  lifecycle.lifetimes.Add(30'000'000'000);
  lifecycle.lifetimes.Add(90'000'000'000'000);
  return lifecycle;
}

ExporterStats MakeStats() {
  ExporterStats stats;
  stats.version = "1.2.3";
  stats.collect_ns = 4'000'000;
  stats.collections = 12;
  stats.maps = {{"tasks", 321, 16'384, 4},
                {"events", 1'680, 4'194'304, 6},
                {"sums", 8, 1'024, 1},
                {"counts", 9, 2'048, 2},
                {"cgroup_paths", 10, 512, 3}};
  stats.lost_events = {
      {"finished", 1}, {"moved", 2}, {"lifecycle", 5}, {"cgroup_paths", 3}, {"stream", 4}};
  stats.event_lines = 77;
  stats.torn_entries = 5;
  stats.incomplete_walks = 6;
  stats.rule_evaluations = 70;
  stats.reload_unix_ns = 1'700'000'000'500'000'000;
  stats.programs = {{"on_switch", 1'000'000, 250'000'000, 7}};
  stats.self = {120'000'000, 50'000'000, 8'000'000, 17, 1024, 9'000'000'000};
  return stats;
}

/// A host with one process, its group and cgroup, and one row of all the rest in each view.
Sample MakeSample() {
  Sample sample;
  sample.boot_unix_ns = 1'700'000'000'000'000'000;
  sample.report.processes = {MakeProcess(42, "nginx")};
  const ProcessRow& process = sample.report.processes[0];
  sample.report.groups = {
      {"nginx", {{"team", "web"}}, process.population, process.totals, MakeLifecycle()}};
  sample.report.cgroups = {
      {process.cgroup, process.cgroup_labels, process.population, process.totals, MakeLifecycle()}};
  sample.report.removed_cgroups = {{"/system.slice", {}, {}, process.totals, MakeLifecycle()}};
  OtherRow other;
  other.present = true;
  other.folded = 9;
  other.population = {20, 10, 1'000'000'000};
  other.totals = {60'000'000'000, 30'000'000'000, 1'000'000'000, 500, 300, 200, 100};
  other.lifecycle.forks = 7;
  other.lifecycle.exits = {{1, 1}};
  other.lifecycle.lifetimes.Add(1);
  sample.report.exec_failures = {{ENOENT, 15}, {ENOEXEC, 1}};
  sample.report.other_processes = sample.report.other_groups = sample.report.other_cgroups = other;
  sample.report.cpus = {{0, 3'000'000'000, 1}, {1, 1, 0}};
  sample.report.unattributed_ns = 1'000'000;
  sample.report.tasks = 23;
  sample.stats = MakeStats();
  return sample;
}

TEST(Exposition, OfAHostIsExactlyThis) { ExpectGolden(MakeSample(), "host.txt"); }

TEST(Exposition, OfAnEmptyReportIsExactlyThis) { ExpectGolden({}, "empty.txt"); }

NamedRow Named(const std::string& name) {
  NamedRow row;
  row.name = name;
  return row;
}

Sample MakeHostileSample() {
  Sample sample;
  sample.boot_unix_ns = 1;
  // Printable, as the ledger hands names on: no line ends, but quotes and backslashes.
  ProcessRow row = MakeProcess(7, "a\"b\\\\c{d=\"e\"} 1");
  row.exe = "/tmp/\\x0a\xe2\x82\xac\"";
  row.user = "";
  sample.report.processes = {row};
  sample.report.groups = {{row.group, {}, {}, {}, MakeLifecycle()}, Named("(other)"), Named("")};
  sample.report.cgroups = {Named("/"), Named("/a b,c")};
  sample.report.other_groups.present = true;
  sample.stats.version = "\"\\";
  return sample;
}

TEST(Exposition, OfHostileNamesIsExactlyThis) { ExpectGolden(MakeHostileSample(), "hostile.txt"); }

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
  for (const auto& made :
       SampleCollectable(std::make_shared<const Sample>(MakeSample())).Collect()) {
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
