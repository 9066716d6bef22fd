#pragma once

#include <prometheus/metric_type.h>

#include <string>
#include <vector>

namespace sched_exporter {

/// One metric family as it is served. docs/metrics.md lists the same
/// (tests/unit/metrics_doc_test.cc).
struct Family {
  std::string name;
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::string help;
  std::vector<std::string> labels;  ///< Names, in the order of exposition.
  /// Names of those that not every series has.
  std::vector<std::string> more_labels = {};
};

/// The families of one view. `view` is "process", "group", "cgroup" or "removed_cgroup", `by` the
/// end of each help text.
struct ViewFamilies {
  ViewFamilies(const std::string& view, const std::vector<std::string>& labels,
               const std::string& by);

  /// Of all of them.
  void set_more_labels(const std::vector<std::string>& labels);

  Family cpu;
  Family wait;
  Family switches;
  Family timeslices;
  Family migrations;
  Family threads;  ///< Without a name where nothing can live.
};

/// The histograms of a view of cgroups.
struct DistributionFamilies {
  DistributionFamilies(const std::string& view, const std::string& by);

  /// Of all of them.
  void set_more_labels(const std::vector<std::string>& labels);

  Family runqueue_latency;
  Family timeslice;
};

/// The families of what happens in the lives of processes, in a view other than that of processes.
struct LifecycleFamilies {
  LifecycleFamilies(const std::string& view, const std::string& label, const std::string& by);

  /// Of all of them.
  void set_more_labels(const std::vector<std::string>& labels);

  Family execs;
  Family exec_failures;
  Family forks;
  Family thread_starts;
  Family exits;
  Family oom_kills;
};

/// Every family that the exporter knows.
struct Families {
  Families();

  ViewFamilies process;
  ViewFamilies group;
  ViewFamilies cgroup;
  ViewFamilies removed_cgroup;
  Family process_start_time;
  Family process_info;
  Family group_processes;
  Family group_oldest_start_time;
  Family cgroup_processes;
  DistributionFamilies cgroup_distributions;
  DistributionFamilies removed_cgroup_distributions;
  LifecycleFamilies group_lifecycle;
  LifecycleFamilies cgroup_lifecycle;
  LifecycleFamilies removed_cgroup_lifecycle;
  Family group_lifetime;
  Family exec_failures;
  Family cpu_busy;
  Family unattributed;

  Family build_info;
  Family mode_info;
  Family collect_duration;
  Family collections;
  Family collection_errors;
  Family tasks;
  Family map_entries;
  Family map_max_entries;
  Family lost_events;
  Family event_lines;
  Family failed_updates;
  Family torn_entries;
  Family incomplete_walks;
  Family missed_switches;
  Family folded_series;
  Family program_runs;
  Family program_run_seconds;
  Family program_misses;
  Family rule_evaluations;
  Family reload_successful;
  Family reload_timestamp;
  Family persistence_bytes;
  Family persistence_duration;
  Family persistence_errors;

  Family self_cpu;
  Family self_open_fds;
  Family self_max_fds;
  Family self_virtual_memory;
  Family self_resident_memory;
  Family self_start_time;

  /// Pointers to all of the above.
  std::vector<const Family*> All() const;
};

}  // namespace sched_exporter
