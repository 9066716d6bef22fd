#include "exporter/metrics/families.h"

namespace sched_exporter {
namespace {

constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kHistogram = prometheus::MetricType::Histogram;

std::vector<std::string> With(std::vector<std::string> labels, const std::string& label) {
  labels.push_back(label);
  return labels;
}

std::string Name(const std::string& view, const std::string& rest) {
  return "sched_" + view + "_" + rest;
}

constexpr char kByRemoved[] = "; of cgroups that were removed, by the cgroup above.";

}  // namespace

ViewFamilies::ViewFamilies(const std::string& view, const std::vector<std::string>& labels,
                           const std::string& by)
    : cpu{Name(view, "cpu_seconds_total"), kCounter,
          "CPU time, exact; split into modes as the tick sampled it" + by, With(labels, "mode")},
      wait{Name(view, "runqueue_wait_seconds_total"), kCounter,
           "Time that tasks were runnable but waited for a CPU" + by, labels},
      switches{Name(view, "context_switches_total"), kCounter,
               "Context switches away from tasks" + by, With(labels, "kind")},
      timeslices{Name(view, "timeslices_total"), kCounter, "Times that a task was given a CPU" + by,
                 labels},
      migrations{Name(view, "cpu_migrations_total"), kCounter,
                 "Moves of tasks from one CPU to another" + by, labels},
      threads{Name(view, "threads"), kGauge, "Living tasks" + by, labels} {}

DistributionFamilies::DistributionFamilies(const std::string& view, const std::string& by)
    : runqueue_latency{Name(view, "runqueue_latency_seconds"),
                       kHistogram,
                       "Wait on run queues before each timeslice that has ended" + by,
                       {"cgroup"}},
      timeslice{Name(view, "timeslice_seconds"),
                kHistogram,
                "Length of each timeslice that has ended" + by,
                {"cgroup"}} {}

LifecycleFamilies::LifecycleFamilies(const std::string& view, const std::string& label,
                                     const std::string& by)
    : execs{Name(view, "execs_total"), kCounter, "Execs that succeeded" + by, {label}},
      exec_failures{Name(view, "exec_failures_total"),
                    kCounter,
                    "Execs that failed, by errno" + by,
                    {label, "errno"}},
      forks{Name(view, "forks_total"),
            kCounter,
            "New processes, counted where the parent is" + by,
            {label}},
      thread_starts{Name(view, "thread_starts_total"),
                    kCounter,
                    "New threads of processes that were there" + by,
                    {label}},
      exits{Name(view, "exits_total"),
            kCounter,
            "Processes that ended, by exit code or name of the signal" + by,
            {label, "code"}},
      oom_kills{Name(view, "oom_kills_total"),
                kCounter,
                "Processes that the OOM killer ended" + by,
                {label}} {}

void ViewFamilies::set_more_labels(const std::vector<std::string>& labels) {
  for (Family* family : {&cpu, &wait, &switches, &timeslices, &migrations, &threads}) {
    family->more_labels = labels;
  }
}

void DistributionFamilies::set_more_labels(const std::vector<std::string>& labels) {
  runqueue_latency.more_labels = labels;
  timeslice.more_labels = labels;
}

void LifecycleFamilies::set_more_labels(const std::vector<std::string>& labels) {
  for (Family* family : {&execs, &exec_failures, &forks, &thread_starts, &exits, &oom_kills}) {
    family->more_labels = labels;
  }
}

Families::Families()
    : process("process", {"pid", "comm", "group"}, "; by process."),
      group("group", {"group"}, "; by group."),
      cgroup("cgroup", {"cgroup"}, "; by cgroup."),
      removed_cgroup("removed_cgroup", {"cgroup"}, kByRemoved),
      process_start_time{"sched_process_start_time_seconds",
                         kGauge,
                         "Start of the process in Unix time.",
                         {"pid", "comm", "group"}},
      process_info{"sched_process_info",
                   kGauge,
                   "Always 1; what is known of the process, for joins.",
                   {"pid", "ppid", "comm", "group", "exe", "user", "cgroup"}},
      group_processes{"sched_group_processes", kGauge, "Living processes, by group.", {"group"}},
      group_oldest_start_time{"sched_group_oldest_start_time_seconds",
                              kGauge,
                              "Start of the oldest living process in Unix time, by group.",
                              {"group"}},
      cgroup_processes{"sched_cgroup_processes",
                       kGauge,
                       "Living processes whose leader is in the cgroup.",
                       {"cgroup"}},
      cgroup_distributions("cgroup", "; by cgroup."),
      removed_cgroup_distributions("removed_cgroup", kByRemoved),
      group_lifecycle("group", "group", "; by group."),
      cgroup_lifecycle("cgroup", "cgroup", "; by cgroup."),
      removed_cgroup_lifecycle("removed_cgroup", "cgroup", kByRemoved),
      group_lifetime{"sched_group_process_lifetime_seconds",
                     kHistogram,
                     "Time from fork to exit of processes that ended, by group.",
                     {"group"}},
      exec_failures{"sched_exec_failures_total",
                    kCounter,
                    "Execs that failed on the whole host, by errno.",
                    {"errno"}},
      cpu_busy{"sched_cpu_busy_seconds_total",
               kCounter,
               "Time that a CPU ran tasks other than idle, by the slices seen there.",
               {"cpu"}},
      unattributed{"sched_unattributed_cpu_seconds_total",
                   kCounter,
                   "CPU time of finished tasks that no buffer had room for; in no group or cgroup.",
                   {}},
      build_info{
          "sched_exporter_build_info", kGauge, "Always 1; the exporter's version.", {"version"}},
      mode_info{"sched_exporter_mode_info",
                kGauge,
                "Always 1; full, or portable where the kernel has no BTF.",
                {"mode"}},
      collect_duration{"sched_exporter_collect_duration_seconds",
                       kGauge,
                       "Duration of the last collection.",
                       {}},
      collections{"sched_exporter_collections_total", kCounter, "Collections that succeeded.", {}},
      collection_errors{"sched_exporter_collection_errors_total",
                        kCounter,
                        "Collections that could not read the kernel.",
                        {}},
      tasks{"sched_exporter_tasks", kGauge, "Living tasks at the last collection.", {}},
      map_entries{
          "sched_exporter_map_entries",
          kGauge,
          "Fill level of a BPF map at the last collection: bytes of events, entries of others.",
          {"map"}},
      map_max_entries{"sched_exporter_map_max_entries",
                      kGauge,
                      "Size of a BPF map: bytes of events, entries of others.",
                      {"map"}},
      lost_events{
          "sched_exporter_lost_events_total",
          kCounter,
          "Records that a buffer had no room for; sums and counts take over for the counters.",
          {"buffer"}},
      event_lines{
          "sched_exporter_event_lines_total", kCounter, "Lines written to the event stream.", {}},
      failed_updates{"sched_exporter_map_failed_updates_total",
                     kCounter,
                     "Entries that a BPF map did not take. Another place took what they count.",
                     {"map"}},
      torn_entries{"sched_exporter_torn_entries_total",
                   kCounter,
                   "Entries left out of a walk because they were being written.",
                   {}},
      incomplete_walks{"sched_exporter_incomplete_walks_total",
                       kCounter,
                       "Walks over the tasks map that ended at their bound.",
                       {}},
      missed_switches{"sched_exporter_missed_switches_total",
                      kCounter,
                      "Context switches that the kernel made without an event.",
                      {"cpu"}},
      folded_series{"sched_exporter_folded_series",
                    kGauge,
                    "Members of a view that have no series of their own and are in other.",
                    {"view"}},
      program_runs{"sched_exporter_bpf_program_runs_total",
                   kCounter,
                   "Runs of a BPF program while kernel.bpf_stats_enabled was on.",
                   {"program"}},
      program_run_seconds{"sched_exporter_bpf_program_run_seconds_total",
                          kCounter,
                          "Run time of a BPF program while kernel.bpf_stats_enabled was on.",
                          {"program"}},
      program_misses{"sched_exporter_bpf_program_recursion_misses_total",
                     kCounter,
                     "Runs of a BPF program that the kernel left out to avoid recursion.",
                     {"program"}},
      rule_evaluations{"sched_exporter_rule_evaluations_total",
                       kCounter,
                       "Times that the rules of the config were asked for the group of a process.",
                       {}},
      reload_successful{"sched_exporter_config_last_reload_successful",
                        kGauge,
                        "1 where the config file was good when it was last read, else 0.",
                        {}},
      reload_timestamp{"sched_exporter_config_last_reload_success_timestamp_seconds",
                       kGauge,
                       "When a good config was last read, in Unix time.",
                       {}},
      persistence_bytes{"sched_exporter_persistence_bytes",
                        kGauge,
                        "Size of the totals that the next exporter will go on with.",
                        {}},
      persistence_duration{"sched_exporter_persistence_duration_seconds",
                           kGauge,
                           "Time that it took to keep them at the last collection.",
                           {}},
      persistence_errors{"sched_exporter_persistence_errors_total",
                         kCounter,
                         "Times that they could not be written.",
                         {}},
      self_cpu{"process_cpu_seconds_total",
               kCounter,
               "Total user and system CPU time spent in seconds.",
               {}},
      self_open_fds{"process_open_fds", kGauge, "Number of open file descriptors.", {}},
      self_max_fds{"process_max_fds", kGauge, "Maximum number of open file descriptors.", {}},
      self_virtual_memory{
          "process_virtual_memory_bytes", kGauge, "Virtual memory size in bytes.", {}},
      self_resident_memory{
          "process_resident_memory_bytes", kGauge, "Resident memory size in bytes.", {}},
      self_start_time{"process_start_time_seconds",
                      kGauge,
                      "Start time of the process since unix epoch in seconds.",
                      {}} {
  removed_cgroup.threads = {};
  const std::vector<std::string> of_cgroups{"container", "namespace", "pod", "unit"};
  process_info.more_labels = of_cgroups;
  cgroup_processes.more_labels = of_cgroups;
  cgroup.set_more_labels(of_cgroups);
  cgroup_lifecycle.set_more_labels(of_cgroups);
  cgroup_distributions.set_more_labels(of_cgroups);
}

std::vector<const Family*> Families::All() const {
  std::vector<const Family*> all;
  for (const ViewFamilies* view : {&process, &group, &cgroup, &removed_cgroup}) {
    all.insert(all.end(),
               {&view->cpu, &view->wait, &view->switches, &view->timeslices, &view->migrations});
    if (!view->threads.name.empty()) {
      all.push_back(&view->threads);
    }
  }
  for (const LifecycleFamilies* view :
       {&group_lifecycle, &cgroup_lifecycle, &removed_cgroup_lifecycle}) {
    all.insert(all.end(), {&view->execs, &view->exec_failures, &view->forks, &view->thread_starts,
                           &view->exits, &view->oom_kills});
  }
  for (const DistributionFamilies* view : {&cgroup_distributions, &removed_cgroup_distributions}) {
    all.insert(all.end(), {&view->runqueue_latency, &view->timeslice});
  }
  all.insert(all.end(), {&group_lifetime, &exec_failures, &event_lines});
  all.insert(all.end(), {&process_start_time,
                         &process_info,
                         &group_processes,
                         &group_oldest_start_time,
                         &cgroup_processes,
                         &cpu_busy,
                         &unattributed,
                         &build_info,
                         &mode_info,
                         &collect_duration,
                         &collections,
                         &collection_errors,
                         &tasks,
                         &map_entries,
                         &map_max_entries,
                         &lost_events,
                         &failed_updates,
                         &torn_entries,
                         &incomplete_walks,
                         &missed_switches,
                         &folded_series,
                         &program_runs,
                         &program_run_seconds,
                         &program_misses,
                         &reload_successful,
                         &reload_timestamp,
                         &rule_evaluations,
                         &persistence_bytes,
                         &persistence_duration,
                         &persistence_errors,
                         &self_cpu,
                         &self_open_fds,
                         &self_max_fds,
                         &self_virtual_memory,
                         &self_resident_memory,
                         &self_start_time});
  return all;
}

}  // namespace sched_exporter
