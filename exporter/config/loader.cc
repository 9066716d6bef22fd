#include "exporter/config/loader.h"

#include "exporter/config/expression_reader.h"
#include "exporter/config/keys.h"
#include "exporter/config/mapping_reader.h"
#include "exporter/config/pod_list_url.h"
#include "exporter/config/rule_reader.h"
#include "exporter/config/text_check.h"
#include "exporter/config/yaml_tree.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;

constexpr Words<WalkMethod, 3> kWalkMethods{{{"auto", WalkMethod::kAuto},
                                             {"batch", WalkMethod::kBatch},
                                             {"next_key", WalkMethod::kNextKey}}};
constexpr Words<CgroupHierarchy, 4> kHierarchies{{{"auto", CgroupHierarchy::kAuto},
                                                  {"v2", CgroupHierarchy::kV2},
                                                  {"cpu", CgroupHierarchy::kCpu},
                                                  {"cpuacct", CgroupHierarchy::kCpuacct}}};
constexpr Words<EventOutputChoice, 3> kOutputs{{{"none", EventOutputChoice::kNone},
                                                {"stdout", EventOutputChoice::kStdout},
                                                {"file", EventOutputChoice::kFile}}};
constexpr Words<EventTransport, 3> kTransports{{{"auto", EventTransport::kAuto},
                                                {"ringbuf", EventTransport::kRingbuf},
                                                {"perfbuf", EventTransport::kPerfbuf}}};
constexpr Words<ExecFailureSource, 4> kExecFailures{{{"auto", ExecFailureSource::kAuto},
                                                     {"fexit", ExecFailureSource::kFexit},
                                                     {"tracepoint", ExecFailureSource::kTracepoint},
                                                     {"off", ExecFailureSource::kOff}}};
constexpr Words<LabelSwitch, 14> kLabels{{
    {"process.comm", LabelSwitch::kProcessComm},
    {"process.group", LabelSwitch::kProcessGroup},
    {"process_info.ppid", LabelSwitch::kProcessInfoPpid},
    {"process_info.exe", LabelSwitch::kProcessInfoExe},
    {"process_info.user", LabelSwitch::kProcessInfoUser},
    {"process_info.cgroup", LabelSwitch::kProcessInfoCgroup},
    {"process_info.unit", LabelSwitch::kProcessInfoUnit},
    {"process_info.namespace", LabelSwitch::kProcessInfoNamespace},
    {"process_info.pod", LabelSwitch::kProcessInfoPod},
    {"process_info.container", LabelSwitch::kProcessInfoContainer},
    {"cgroup.unit", LabelSwitch::kCgroupUnit},
    {"cgroup.namespace", LabelSwitch::kCgroupNamespace},
    {"cgroup.pod", LabelSwitch::kCgroupPod},
    {"cgroup.container", LabelSwitch::kCgroupContainer},
}};
constexpr Range<std::uint32_t> kSeries{1, 100'000};

bool IsAbsolutePath(std::string_view text) {
  return text.starts_with('/') && text.find('\0') == std::string_view::npos;
}

bool IsFilePath(std::string_view text) { return IsAbsolutePath(text) && !text.ends_with('/'); }

void ReadFilter(MappingReader& filters, std::string_view key, ExpressionReader& expressions,
                NameFilter& filter) {
  filters.Section(key, [&](MappingReader& section) {
    section.Value("include", [&](const KeyedValue& list) {
      filter.include = expressions.ReadList(list, ListMayBe::kEmpty);
    });
    section.Value("exclude", [&](const KeyedValue& list) {
      filter.exclude = expressions.ReadList(list, ListMayBe::kEmpty);
    });
  });
}

/// The keys that say what series and labels there are, and what they are named.
void ReadNames(MappingReader& file, Findings& findings, Config& config) {
  ExpressionReader expressions(findings);
  file.Value("process_names", [&](const KeyedValue& list) {
    config.naming.rules = ReadRules(list, config.limits.groups, expressions, findings);
  });
  file.Boolean("children", config.naming.children);
  file.Section("filters", [&](MappingReader& section) {
    ReadFilter(section, "processes", expressions, config.filters.processes);
    ReadFilter(section, "groups", expressions, config.filters.groups);
    ReadFilter(section, "cgroups", expressions, config.filters.cgroups);
  });
  file.Section("labels", [&](MappingReader& section) {
    section.Choices("omit", kLabels, config.labels.omit);
  });
  file.Section("kubernetes", [&config](MappingReader& section) {
    KubernetesConfig& kubernetes = config.kubernetes;
    section.OptionalText("log_directory", "an absolute path of a directory", IsAbsolutePath,
                         kubernetes.log_directory);
    section.OptionalText("pod_list_file", "an absolute path of a file", IsFilePath,
                         kubernetes.pod_list_file);
    section.OptionalText("pod_list_url", "http://HOST:PORT/PATH", IsPodListUrl,
                         kubernetes.pod_list_url);
  });
}

/// Maps the keys of the file to `config`: the one place that knows their names and ranges.
void ReadConfig(MappingReader& file, Findings& findings, Config& config) {
  file.Section("collection", [&config](MappingReader& section) {
    section.Duration("interval", {100ms, 5min}, config.collection.interval);
    section.Choice("walk", kWalkMethods, config.collection.walk);
  });
  file.Section("maps", [&config](MappingReader& section) {
    section.Integer("tasks", {1, 4'194'304}, config.maps.tasks);
    section.PowerOfTwo("events_bytes", {4'096, 268'435'456}, config.maps.events_bytes);
    section.Integer("sums", {1, 65'536}, config.maps.sums);
    section.Integer("cgroups", {1, 65'536}, config.maps.cgroups);
  });
  file.Section("limits", [&config](MappingReader& section) {
    section.Integer("processes", kSeries, config.limits.processes);
    section.Integer("groups", kSeries, config.limits.groups);
    section.Integer("cgroups", kSeries, config.limits.cgroups);
    section.Integer("codes", kSeries, config.limits.codes);
    section.Duration("dead_series", {0ms, 24h}, config.limits.dead_series);
  });
  file.Section("events", [&config](MappingReader& section) {
    section.Choice("output", kOutputs, config.events.output);
    section.AbsolutePath("file", config.events.file);
    section.Integer("rotate_bytes", {4'096, 4'294'967'295}, config.events.rotate_bytes);
    section.Integer("keep", {0, 1'000}, config.events.keep);
    section.Boolean("arguments", config.events.arguments);
    section.Integer("arguments_bytes", {16, 4'096}, config.events.arguments_bytes);
    section.Choice("transport", kTransports, config.events.transport);
    section.Choice("exec_failures", kExecFailures, config.events.exec_failures);
  });
  file.Section("cgroup", [&config](MappingReader& section) {
    section.Choice("hierarchy", kHierarchies, config.cgroup.hierarchy);
  });
  ReadNames(file, findings, config);
  file.Section("histograms", [&config](MappingReader& section) {
    section.Boolean("runqueue_latency", config.histograms.runqueue_latency);
    section.Boolean("timeslice", config.histograms.timeslice);
  });
  file.Section("live", [&config](MappingReader& section) {
    section.Boolean("top", config.live.top);
    section.Boolean("events", config.live.events);
    section.Duration("history", {1min, 1h}, config.live.history);
  });
  file.Section("openmetrics", [&config](MappingReader& section) {
    section.Boolean("created", config.openmetrics.created);
  });
  file.Section("persistence", [&config](MappingReader& section) {
    section.Boolean("enabled", config.persistence.enabled);
    section.AbsolutePath("directory", config.persistence.directory);
    section.AbsolutePath("pin_directory", config.persistence.pin_directory);
  });
}

/// Reads the whole tree; returns the paths of all keys that it looked for.
MappingReader::KeyPaths ReadTree(const YamlNode& root, Findings& findings, Config& config) {
  MappingReader::KeyPaths paths;
  MappingReader::Read(root, "", findings, paths,
                      [&](MappingReader& file) { ReadConfig(file, findings, config); });
  return paths;
}

}  // namespace

Result<Config> ParseConfig(std::string_view text, const std::string& name) {
  if (text.size() > kMaxConfigBytes) {
    return Fail(name + ": expected at most " + std::to_string(kMaxConfigBytes) +
                " bytes, got more");
  }
  Findings findings(name);
  CheckText(text, findings);
  if (!findings.empty()) {
    return tl::unexpected(findings.ToError());
  }
  const YamlTree tree = ParseYaml(text, findings);
  Config config;
  if (tree.complete) {
    ReadTree(tree.root, findings, config);
  }
  if (!findings.empty()) {
    return tl::unexpected(findings.ToError());
  }
  return config;
}

std::vector<std::string> ConfigKeys() {
  Findings none("");
  Config unused;
  return ReadTree(YamlNode(), none, unused);
}

}  // namespace sched_exporter
