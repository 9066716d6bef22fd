#include "exporter/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <tuple>
#include <vector>

#include "exporter/config/keys.h"
#include "exporter/config/loader.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;

/// All fields of a config. A field that is added to a struct breaks the bindings below until it is
/// added here, and thereby to what default.yml is compared with.
auto Fields(const Config& config) {
  const auto& [collection, maps, limits, events, cgroup, naming, filters, labels, kubernetes,
               histograms, live, openmetrics, persistence] = config;
  const auto& [interval, walk] = collection;
  const auto& [tasks, events_bytes, sums, map_cgroups] = maps;
  const auto& [processes, groups, cgroups, codes, dead_series] = limits;
  const auto& [output, file, rotate_bytes, keep, arguments, arguments_bytes, transport,
               exec_failures] = events;
  const auto& [hierarchy] = cgroup;
  const auto& [rules, children] = naming;
  const auto& [process_filter, group_filter, cgroup_filter] = filters;
  const auto& [omit] = labels;
  const auto& [log_directory, pod_list_file, pod_list_url] = kubernetes;
  const auto& [runqueue_latency, timeslice] = histograms;
  const auto& [live_top, live_events, live_history] = live;
  const auto& [created] = openmetrics;
  const auto& [enabled, directory, pin_directory] = persistence;
  const NamingConfig only_rules{rules, true};
  return std::make_tuple(
      interval, walk, tasks, events_bytes, sums, map_cgroups, processes, groups, cgroups, codes,
      dead_series, output, file, rotate_bytes, keep, arguments, arguments_bytes, transport,
      exec_failures, hierarchy, only_rules, children, process_filter.include,
      process_filter.exclude, group_filter.include, group_filter.exclude, cgroup_filter.include,
      cgroup_filter.exclude, omit, log_directory, pod_list_file, pod_list_url, runqueue_latency,
      timeslice, live_top, live_events, live_history, created, enabled, directory, pin_directory);
}
constexpr std::size_t kFieldCount = std::tuple_size_v<decltype(Fields(Config{}))>;

/// A key with its line in default.yml, another valid value, and the config that this value means.
struct KeyCase {
  std::string path;
  std::string default_line;
  std::string changed_line;
  std::function<void(Config&)> change;
};

std::string DefaultYml() {
  std::ifstream file(SOURCE_DIR "/config/default.yml");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::shared_ptr<const GroupRules> BashRule() {
  GroupRule rule;
  rule.comm = {"bash"};
  rule.name = *NameTemplate::Parse("{{.ExeBase}}", {});
  // Its line in default.yml with the changed line.
  const std::string text = DefaultYml();
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.find("# process_names:\n"));
  rule.line = 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
  return std::make_shared<const GroupRules>(std::vector<GroupRule>{rule});
}

std::vector<Pattern> X() { return {*Pattern::Compile("x")}; }

const std::vector<KeyCase>& KeyCases() {
  static const std::vector<KeyCase> kCases = {
      {"collection.interval", "interval: 5s", "interval: 1m30s",
       [](Config& c) { c.collection.interval = 90s; }},
      {"collection.walk", "walk: auto", "walk: next_key",
       [](Config& c) { c.collection.walk = WalkMethod::kNextKey; }},
      {"maps.tasks", "tasks: 16384", "tasks: 777", [](Config& c) { c.maps.tasks = 777; }},
      {"maps.events_bytes", "events_bytes: 1048576", "events_bytes: 8192",
       [](Config& c) { c.maps.events_bytes = 8192; }},
      {"maps.sums", "sums: 1024", "sums: 1025", [](Config& c) { c.maps.sums = 1025; }},
      {"maps.cgroups", "cgroups: 512", "cgroups: 513", [](Config& c) { c.maps.cgroups = 513; }},
      {"limits.processes", "processes: 1000", "processes: 1001",
       [](Config& c) { c.limits.processes = 1001; }},
      {"limits.groups", "  groups: 500", "  groups: 501", [](Config& c) { c.limits.groups = 501; }},
      {"limits.cgroups", "cgroups: 500", "cgroups: 502", [](Config& c) { c.limits.cgroups = 502; }},
      {"limits.codes", "codes: 5000", "codes: 7", [](Config& c) { c.limits.codes = 7; }},
      {"limits.dead_series", "dead_series: 5m", "dead_series: 0s",
       [](Config& c) { c.limits.dead_series = 0s; }},
      {"events.output", "output: none", "output: file",
       [](Config& c) { c.events.output = EventOutputChoice::kFile; }},
      {"events.file", "file: /var/log/sched_exporter/events.json", "file: /tmp/x",
       [](Config& c) { c.events.file = "/tmp/x"; }},
      {"events.rotate_bytes", "rotate_bytes: 104857600", "rotate_bytes: 4294967295",
       [](Config& c) { c.events.rotate_bytes = 4294967295; }},
      {"events.keep", "keep: 5", "keep: 0", [](Config& c) { c.events.keep = 0; }},
      {"events.arguments", "arguments: false", "arguments: true",
       [](Config& c) { c.events.arguments = true; }},
      {"events.arguments_bytes", "arguments_bytes: 256", "arguments_bytes: 17",
       [](Config& c) { c.events.arguments_bytes = 17; }},
      {"events.transport", "transport: auto", "transport: perfbuf",
       [](Config& c) { c.events.transport = EventTransport::kPerfbuf; }},
      {"events.exec_failures", "exec_failures: auto", "exec_failures: off",
       [](Config& c) { c.events.exec_failures = ExecFailureSource::kOff; }},
      {"cgroup.hierarchy", "hierarchy: auto", "hierarchy: cpuacct",
       [](Config& c) { c.cgroup.hierarchy = CgroupHierarchy::kCpuacct; }},
      {"process_names", "# process_names:", "process_names: [{comm: [bash]}]",
       [](Config& c) { c.naming.rules = BashRule(); }},
      {"children", "children: true", "children: false",
       [](Config& c) { c.naming.children = false; }},
      {"filters.processes.include", "  processes:\n    include: []",
       "  processes:\n    include: [x]", [](Config& c) { c.filters.processes.include = X(); }},
      {"filters.processes.exclude", "  processes:\n    include: []\n    exclude: []",
       "  processes:\n    exclude: [x]", [](Config& c) { c.filters.processes.exclude = X(); }},
      {"filters.groups.include", "  groups:\n    include: []", "  groups:\n    include: [x]",
       [](Config& c) { c.filters.groups.include = X(); }},
      {"filters.groups.exclude", "  groups:\n    include: []\n    exclude: []",
       "  groups:\n    exclude: [x]", [](Config& c) { c.filters.groups.exclude = X(); }},
      {"filters.cgroups.include", "  cgroups:\n    include: []", "  cgroups:\n    include: [x]",
       [](Config& c) { c.filters.cgroups.include = X(); }},
      {"filters.cgroups.exclude", "  cgroups:\n    include: []\n    exclude: []",
       "  cgroups:\n    exclude: [x]", [](Config& c) { c.filters.cgroups.exclude = X(); }},
      {"labels.omit", "omit: []", "omit: [process_info.exe, cgroup.pod]",
       [](Config& c) {
         c.labels.omit = {LabelSwitch::kProcessInfoExe, LabelSwitch::kCgroupPod};
       }},
      {"kubernetes.log_directory", "log_directory: \"\"", "log_directory: /var/log/pods",
       [](Config& c) { c.kubernetes.log_directory = "/var/log/pods"; }},
      {"kubernetes.pod_list_file", "pod_list_file: \"\"", "pod_list_file: /run/pods.json",
       [](Config& c) { c.kubernetes.pod_list_file = "/run/pods.json"; }},
      {"kubernetes.pod_list_url", "pod_list_url: \"\"", "pod_list_url: http://127.0.0.1:10255/pods",
       [](Config& c) { c.kubernetes.pod_list_url = "http://127.0.0.1:10255/pods"; }},
      {"histograms.runqueue_latency", "runqueue_latency: true", "runqueue_latency: false",
       [](Config& c) { c.histograms.runqueue_latency = false; }},
      {"histograms.timeslice", "timeslice: true", "timeslice: false",
       [](Config& c) { c.histograms.timeslice = false; }},
      {"live.top", "  top: true", "  top: false", [](Config& c) { c.live.top = false; }},
      {"live.events", "  events: true", "  events: false",
       [](Config& c) { c.live.events = false; }},
      {"live.history", "history: 5m", "history: 1h", [](Config& c) { c.live.history = 1h; }},
      {"openmetrics.created", "created: false", "created: true",
       [](Config& c) { c.openmetrics.created = true; }},
      {"persistence.enabled", "enabled: false", "enabled: true",
       [](Config& c) { c.persistence.enabled = true; }},
      {"persistence.directory", "directory: /run/sched_exporter", "directory: /var/lib/totals",
       [](Config& c) { c.persistence.directory = "/var/lib/totals"; }},
      {"persistence.pin_directory", "pin_directory: /sys/fs/bpf/sched_exporter",
       "pin_directory: /mnt/bpf/totals",
       [](Config& c) { c.persistence.pin_directory = "/mnt/bpf/totals"; }},
  };
  return kCases;
}

/// The config that `text` means, or a failed test.
Config Parsed(const std::string& text) {
  const Result<Config> config = ParseConfig(text, "test.yml");
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(Config{});
}

bool IsValid(const std::string& text) { return ParseConfig(text, "test.yml").has_value(); }

TEST(Config, EmptyFilesAreTheDefaults) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "---\n...\n", "{}", "~"}) {
    EXPECT_EQ(Fields(Parsed(text)), Fields(Config{})) << text;
  }
}

TEST(Config, EmptySectionsAreTheDefaults) {
  EXPECT_EQ(Fields(Parsed("collection:\nmaps: ~\nlimits: {}\ncgroup:\n  # hierarchy: v2\n")),
            Fields(Config{}));
}

TEST(Config, DefaultYmlIsTheBuiltInDefault) {
  const Result<Config> config = LoadConfig(SOURCE_DIR "/config/default.yml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(Fields(*config), Fields(Config{}));
}

TEST(Config, EveryKeyAndFieldHasACase) {
  std::vector<std::string> paths;
  for (const KeyCase& key : KeyCases()) {
    paths.push_back(key.path);
  }
  EXPECT_THAT(ConfigKeys(), testing::ContainerEq(paths));
  EXPECT_EQ(KeyCases().size(), kFieldCount);
}

TEST(Config, EveryKeyInDefaultYmlSetsItsFieldAndNoOther) {
  for (const KeyCase& key : KeyCases()) {
    std::string text = DefaultYml();
    const std::size_t at = text.find(key.default_line + "\n");
    ASSERT_NE(at, std::string::npos) << key.path << " is missing in config/default.yml";
    text.replace(at, key.default_line.size(), key.changed_line);
    Config expected;
    key.change(expected);
    EXPECT_NE(Fields(expected), Fields(Config{})) << key.path;
    EXPECT_EQ(Fields(Parsed(text)), Fields(expected)) << key.path;
  }
}

TEST(Config, EveryWordIsRead) {
  EXPECT_EQ(Parsed("collection: {walk: auto}").collection.walk, WalkMethod::kAuto);
  EXPECT_EQ(Parsed("collection: {walk: batch}").collection.walk, WalkMethod::kBatch);
  EXPECT_EQ(Parsed("collection: {walk: 'next_key'}").collection.walk, WalkMethod::kNextKey);
  EXPECT_EQ(Parsed("events: {output: stdout}").events.output, EventOutputChoice::kStdout);
  EXPECT_EQ(Parsed("events: {output: none}").events.output, EventOutputChoice::kNone);
  EXPECT_EQ(Parsed("events: {transport: ringbuf}").events.transport, EventTransport::kRingbuf);
  EXPECT_EQ(Parsed("events: {exec_failures: fexit}").events.exec_failures,
            ExecFailureSource::kFexit);
  EXPECT_EQ(Parsed("events: {exec_failures: tracepoint}").events.exec_failures,
            ExecFailureSource::kTracepoint);
  EXPECT_FALSE(Parsed("events: {arguments: false}").events.arguments);
  EXPECT_EQ(Parsed("cgroup: {hierarchy: auto}").cgroup.hierarchy, CgroupHierarchy::kAuto);
  EXPECT_EQ(Parsed("cgroup: {hierarchy: v2}").cgroup.hierarchy, CgroupHierarchy::kV2);
  EXPECT_EQ(Parsed("cgroup: {hierarchy: cpu}").cgroup.hierarchy, CgroupHierarchy::kCpu);
  EXPECT_EQ(Parsed("cgroup: {hierarchy: cpuacct}").cgroup.hierarchy, CgroupHierarchy::kCpuacct);
}

TEST(Config, ByteOrderMarkAndCarriageReturnsAreRead) {
  EXPECT_EQ(Parsed("\xef\xbb\xbfmaps:\r\n  tasks: 5\r\n").maps.tasks, 5U);
}

/// `section: {key: value}`.
std::string With(const std::string& section, const std::string& key, const std::string& value) {
  return section + ": {" + key + ": " + value + "}";
}

struct Boundaries {
  std::string section;
  std::string key;
  std::string below;
  std::string min;
  std::string max;
  std::string above;
};

TEST(Config, RangesIncludeTheirEndsAndNoMore) {
  const std::vector<Boundaries> all = {
      {"collection", "interval", "99ms", "100ms", "5m", "5m1ms"},
      {"maps", "tasks", "0", "1", "4194304", "4194305"},
      {"maps", "events_bytes", "2048", "4096", "268435456", "536870912"},
      {"maps", "sums", "0", "1", "65536", "65537"},
      {"maps", "cgroups", "0", "1", "65536", "65537"},
      {"events", "rotate_bytes", "4095", "4096", "4294967295", "4294967296"},
      {"events", "keep", "-1", "0", "1000", "1001"},
      {"events", "arguments_bytes", "15", "16", "4096", "4097"},
      {"limits", "codes", "0", "1", "100000", "100001"},
      {"limits", "processes", "0", "1", "100000", "100001"},
      {"limits", "groups", "0", "1", "100000", "100001"},
      {"limits", "cgroups", "0", "1", "100000", "100001"},
      {"limits", "dead_series", "-1ms", "0s", "24h", "24h1ms"},
      {"live", "history", "59s999ms", "1m", "1h", "1h1ms"},
  };
  for (const Boundaries& b : all) {
    EXPECT_FALSE(IsValid(With(b.section, b.key, b.below))) << b.key;
    EXPECT_TRUE(IsValid(With(b.section, b.key, b.min))) << b.key;
    EXPECT_TRUE(IsValid(With(b.section, b.key, b.max))) << b.key;
    EXPECT_FALSE(IsValid(With(b.section, b.key, b.above))) << b.key;
  }
  EXPECT_EQ(Parsed("maps: {events_bytes: 268435456}").maps.events_bytes, 268'435'456U);
  EXPECT_EQ(Parsed("limits: {dead_series: 24h}").limits.dead_series, 24h);
  EXPECT_EQ(Parsed("collection: {interval: 100ms}").collection.interval, 100ms);
  EXPECT_EQ(Parsed("collection: {interval: 5m}").collection.interval, 5min);
}

TEST(Config, IntegersAreDecimalDigitsOnly) {
  for (const char* value :
       {"0x10", "010", "0o10", "+5", "-5", "5.0", "1e3", "1_000", "1,000", "5 ", "\"5\"", "'5'",
        "true", ".inf", "4294967297", "18446744073709551617", "99999999999999999999999999"}) {
    const bool is_trimmed = std::string(value) == "5 ";
    EXPECT_EQ(IsValid("maps:\n  tasks: " + std::string(value) + "\n"), is_trimmed) << value;
  }
}

TEST(Config, DurationsAreWrittenAsInPrometheus) {
  for (const char* value : {"1m", "500ms", "1s500ms", "60s", "\"5s\"", "1m1s1ms", "05s"}) {
    EXPECT_TRUE(IsValid(With("collection", "interval", value))) << value;
  }
  EXPECT_TRUE(IsValid(With("limits", "dead_series", "1d")));
  for (const char* value :
       {"5", "0", "1.5s", "5 s", "s", "5S", "-5s", "1s1m", "1s1s", "5sec", "1m 30s", "''", "5µs",
        "99999999999999999999s", "9223372036854775807y", "5s5", "1y1w1d"}) {
    EXPECT_FALSE(IsValid(With("collection", "interval", value))) << value;
  }
}

}  // namespace
}  // namespace sched_exporter
