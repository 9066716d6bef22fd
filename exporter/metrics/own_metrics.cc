#include "exporter/metrics/own_metrics.h"

namespace sched_exporter {
namespace {

void AddPrograms(Builder& builder, const Families& families, const ExporterStats& stats) {
  MadeFamily runs = Builder::Begin(families.program_runs, stats.programs.size());
  MadeFamily time = Builder::Begin(families.program_run_seconds, stats.programs.size());
  MadeFamily misses = Builder::Begin(families.program_misses, stats.programs.size());
  for (const ProgramStats& program : stats.programs) {
    Builder::PutCounter(runs, families.program_runs, {program.name}, Count(program.runs),
                        stats.since_ns);
    Builder::PutCounter(time, families.program_run_seconds, {program.name}, Seconds(program.run_ns),
                        stats.since_ns);
    Builder::PutCounter(misses, families.program_misses, {program.name},
                        Count(program.recursion_misses), stats.since_ns);
  }
  builder.End(std::move(runs));
  builder.End(std::move(time));
  builder.End(std::move(misses));
}

void AddMaps(Builder& builder, const Families& families, const ExporterStats& stats) {
  MadeFamily entries = Builder::Begin(families.map_entries, stats.maps.size());
  MadeFamily max_entries = Builder::Begin(families.map_max_entries, stats.maps.size());
  MadeFamily failed = Builder::Begin(families.failed_updates, stats.maps.size());
  for (const MapStats& map : stats.maps) {
    Builder::Put(entries, families.map_entries, {map.name}, Count(map.entries));
    Builder::Put(max_entries, families.map_max_entries, {map.name}, Count(map.max_entries));
    Builder::PutCounter(failed, families.failed_updates, {map.name}, Count(map.failed_updates),
                        stats.since_ns);
  }
  builder.End(std::move(entries));
  builder.End(std::move(max_entries));
  MadeFamily lost = Builder::Begin(families.lost_events, stats.lost_events.size());
  for (const LostEvents& buffer : stats.lost_events) {
    Builder::PutCounter(lost, families.lost_events, {buffer.buffer}, Count(buffer.events),
                        stats.since_ns);
  }
  builder.End(std::move(lost));
  builder.End(std::move(failed));
}

void AddExporter(Builder& builder, const Families& families, const Sample& sample) {
  const ExporterStats& stats = sample.stats;
  const Report& report = sample.report;
  builder.Labelled(families.build_info, {{stats.version, 1}});
  builder.Single(families.collect_duration, Seconds(stats.collect_ns));
  builder.SingleCounter(families.collections, Count(stats.collections), stats.since_ns);
  builder.SingleCounter(families.collection_errors, Count(stats.collection_errors), stats.since_ns);
  AddMaps(builder, families, stats);
  builder.SingleCounter(families.event_lines, Count(stats.event_lines), stats.since_ns);
  builder.SingleCounter(families.torn_entries, Count(stats.torn_entries), stats.since_ns);
  builder.SingleCounter(families.incomplete_walks, Count(stats.incomplete_walks), stats.since_ns);
  builder.Labelled(families.folded_series, {{"process", Count(report.other_processes.folded)},
                                            {"group", Count(report.other_groups.folded)},
                                            {"cgroup", Count(report.other_cgroups.folded)}});
  AddPrograms(builder, families, stats);
  builder.SingleCounter(families.rule_evaluations, Count(stats.rule_evaluations), stats.since_ns);
  builder.Single(families.reload_successful, stats.reload_successful ? 1 : 0);
  builder.Single(families.reload_timestamp, Seconds(stats.reload_unix_ns));
}

void AddSelf(Builder& builder, const Families& families, const Sample& sample) {
  const SelfStats& self = sample.stats.self;
  builder.SingleCounter(families.self_cpu, Seconds(self.cpu_ns), self.start_boottime_ns);
  builder.Single(families.self_open_fds, Count(self.open_fds));
  builder.Single(families.self_max_fds, Count(self.max_fds));
  builder.Single(families.self_virtual_memory, Count(self.virtual_bytes));
  builder.Single(families.self_resident_memory, Count(self.resident_bytes));
  builder.Single(families.self_start_time, Seconds(sample.boot_unix_ns + self.start_boottime_ns));
}

}  // namespace

void AddOwn(Builder& builder, const Families& families, const Sample& sample) {
  AddExporter(builder, families, sample);
  AddSelf(builder, families, sample);
}

}  // namespace sched_exporter
