#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "exporter/rules/group_rules.h"
#include "exporter/rules/pattern.h"

namespace sched_exporter {

/// How the walker reads the hash of tasks.
enum class WalkMethod {
  kAuto,     ///< Batch where the kernel offers it, else next_key.
  kBatch,    ///< BPF_MAP_LOOKUP_BATCH.
  kNextKey,  ///< BPF_MAP_GET_NEXT_KEY and a look-up for each entry.
};

/// Which cgroup hierarchy names the cgroup of a task.
enum class CgroupHierarchy {
  kAuto,     ///< v2 where it is mounted at the cgroup root; else cpuacct, else cpu; else v2.
  kV2,       ///< The unified hierarchy.
  kCpu,      ///< The v1 hierarchy of the cpu controller.
  kCpuacct,  ///< The v1 hierarchy of the cpuacct controller.
};

struct CollectionConfig {
  /// Time between two walks that no scrape asked for. 100 ms to 5 min.
  std::chrono::milliseconds interval{5000};
  WalkMethod walk = WalkMethod::kAuto;
};

struct MapsConfig {
  /// Entries of the LRU hash of tasks. 1 to 4194304. Evicted tasks lose nothing but cost a little
  /// at a walk.
  std::uint32_t tasks = 16384;
  /// Bytes of the buffer that carries what happens to tasks from the kernel. A power of two, 4096
  /// to 268435456.
  std::uint32_t events_bytes = 1048576;
  /// Entries of the sums and of the counts by cgroup and comm that take over when that buffer is
  /// full. 1 to 65536.
  std::uint32_t sums = 1024;
  /// Cgroups that have distributions of their own at a time.
  std::uint32_t cgroups = 512;

  bool operator==(const MapsConfig&) const = default;
};

struct LimitsConfig {
  /// Most processes, groups and cgroups with series of their own; the rest is in `other`. 1 to
  /// 100000.
  std::uint32_t processes = 1000;
  std::uint32_t groups = 500;
  std::uint32_t cgroups = 500;
  /// Most series by exit code, and most by errno, in each view; the rest is in `other`. 1 to
  /// 100000.
  std::uint32_t codes = 5000;
  /// How long a group or cgroup keeps its series after its last process has gone. 0 to 24 h.
  std::chrono::milliseconds dead_series{300000};
};

/// Where the event stream goes.
enum class EventOutputChoice { kNone, kStdout, kFile };

/// How events come from the kernel.
enum class EventTransport {
  kAuto,     ///< A ring buffer where the kernel has one (5.8), else perf buffers.
  kRingbuf,  ///< One buffer for all CPUs.
  kPerfbuf,  ///< A buffer for each CPU.
};

/// How execs that fail are met.
enum class ExecFailureSource {
  kAuto,        ///< By fexit where the kernel can do that, else by tracepoint.
  kFexit,       ///< At the end of execve(); costs only those who call it.
  kTracepoint,  ///< By the tracepoints of execve() and execveat(); slows every system call.
  kOff,
};

struct EventsConfig {
  EventOutputChoice output = EventOutputChoice::kNone;
  /// Absolute path, for kFile.
  std::string file = "/var/log/sched_exporter/events.json";
  /// A file that would grow beyond this is renamed and begun anew. 4096 to 4294967295.
  std::uint32_t rotate_bytes = 104857600;
  /// How many files that were renamed are kept. 0 to 1000.
  std::uint32_t keep = 5;
  /// Command lines are in the stream. They may hold secrets.
  bool arguments = false;
  /// How much of a command line is read, where anything needs it. 16 to 4096.
  std::uint32_t arguments_bytes = 256;
  EventTransport transport = EventTransport::kAuto;
  ExecFailureSource exec_failures = ExecFailureSource::kAuto;

  bool operator==(const EventsConfig&) const = default;
};

struct CgroupConfig {
  CgroupHierarchy hierarchy = CgroupHierarchy::kAuto;

  bool operator==(const CgroupConfig&) const = default;
};

/// What groups processes belong to.
struct NamingConfig {
  /// Null where the config has none: then groups go by comm.
  std::shared_ptr<const GroupRules> rules;
  /// A process that no rule matches belongs to the group of its nearest ancestor that has one.
  bool children = true;

  bool operator==(const NamingConfig& other) const {
    const bool same_rules =
        rules == nullptr || other.rules == nullptr ? rules == other.rules : *rules == *other.rules;
    return same_rules && children == other.children;
  }
};

/// Which members of each view have series of their own; the rest is in `other`.
struct FiltersConfig {
  NameFilter processes;  ///< On the comm.
  NameFilter groups;     ///< On the name.
  NameFilter cgroups;    ///< On the path.

  bool operator==(const FiltersConfig&) const = default;
};

/// Labels that can be left out.
enum class LabelSwitch {
  kProcessComm,  ///< Of all families sched_process_*, as the next.
  kProcessGroup,
  kProcessInfoPpid,  ///< Of sched_process_info alone, as all with this prefix.
  kProcessInfoExe,
  kProcessInfoUser,
  kProcessInfoCgroup,
  kProcessInfoUnit,
  kProcessInfoNamespace,
  kProcessInfoPod,
  kProcessInfoContainer,
  kCgroupUnit,  ///< Of all families sched_cgroup_*, as the rest.
  kCgroupNamespace,
  kCgroupPod,
  kCgroupContainer,
};

struct LabelsConfig {
  std::set<LabelSwitch> omit;

  bool Has(LabelSwitch label) const { return omit.find(label) == omit.end(); }
  bool operator==(const LabelsConfig&) const = default;
};

/// Where the names of pods and containers come from. All empty: they aren't looked for.
struct KubernetesConfig {
  /// Absolute path of the directory that holds the kubelet's pods and containers, e.g. "/var/log".
  std::string log_directory;
  /// Absolute path of a file with a list of pods as the kubelet gives it.
  std::string pod_list_file;
  /// http://HOST:PORT/PATH that answers with such a list; IsPodListUrl() has checked it.
  std::string pod_list_url;

  bool operator==(const KubernetesConfig&) const = default;
};

/// What is kept in memory for who looks at the node by hand.
struct LiveConfig {
  bool top = true;     ///< Who uses CPU, waits and starts: /api/v1/top.
  bool events = true;  ///< The last execs, exits and OOM kills: /api/v1/events.
  /// How far back `top` goes; a sixtieth of it is one step. 1 min to 1 h.
  std::chrono::milliseconds history{300000};

  bool operator==(const LiveConfig&) const = default;
};

struct OpenMetricsConfig {
  /// Texts in this format tell since when each series counts, by a sample `_created` beside each.
  bool created = false;

  bool operator==(const OpenMetricsConfig&) const = default;
};

/// Which histograms of cgroups are served.
struct HistogramsConfig {
  bool runqueue_latency = true;  ///< sched_cgroup_runqueue_latency_seconds, and of removed ones.
  bool timeslice = true;         ///< sched_cgroup_timeslice_seconds, and of removed ones.

  bool operator==(const HistogramsConfig&) const = default;
};

/// What outlives the exporter, so that the next one goes on where this one was.
struct PersistenceConfig {
  bool enabled = false;
  /// Absolute path of the directory with the totals; they are of no use after a reboot.
  std::string directory = "/run/sched_exporter";
  /// Absolute path of a directory in a BPF file system: programs and maps are pinned there.
  std::string pin_directory = "/sys/fs/bpf/sched_exporter";

  bool operator==(const PersistenceConfig&) const = default;
};

/// Everything the config file can say. A default-constructed value is the built-in default, and
/// config/default.yml says the same (tests/unit/config_test.cc holds them together).
struct Config {
  CollectionConfig collection;
  MapsConfig maps;
  LimitsConfig limits;
  EventsConfig events;
  CgroupConfig cgroup;
  NamingConfig naming;
  FiltersConfig filters;
  LabelsConfig labels;
  KubernetesConfig kubernetes;
  HistogramsConfig histograms;
  LiveConfig live;
  OpenMetricsConfig openmetrics;
  PersistenceConfig persistence;
};

}  // namespace sched_exporter
