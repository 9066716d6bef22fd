#include "exporter/metrics/own_metrics.h"

namespace sched_exporter {
namespace {

void AddPrograms(Builder& builder, const Families& families, const ExporterStats& stats) {
  MetricFamily runs = Builder::Begin(families.program_runs, stats.programs.size());
  MetricFamily time = Builder::Begin(families.program_run_seconds, stats.programs.size());
  MetricFamily misses = Builder::Begin(families.program_misses, stats.programs.size());
  for (const ProgramStats& program : stats.programs) {
    Builder::Put(runs, families.program_runs, {program.name}, Count(program.runs));
    Builder::Put(time, families.program_run_seconds, {program.name}, Seconds(program.run_ns));
    Builder::Put(misses, families.program_misses, {program.name}, Count(program.recursion_misses));
  }
  builder.End(std::move(runs));
  builder.End(std::move(time));
  builder.End(std::move(misses));
}

void AddMaps(Builder& builder, const Families& families, const ExporterStats& stats) {
  MetricFamily entries = Builder::Begin(families.map_entries, stats.maps.size());
  MetricFamily max_entries = Builder::Begin(families.map_max_entries, stats.maps.size());
  MetricFamily failed = Builder::Begin(families.failed_updates, stats.maps.size());
  for (const MapStats& map : stats.maps) {
    Builder::Put(entries, families.map_entries, {map.name}, Count(map.entries));
    Builder::Put(max_entries, families.map_max_entries, {map.name}, Count(map.max_entries));
    Builder::Put(failed, families.failed_updates, {map.name}, Count(map.failed_updates));
  }
  builder.End(std::move(entries));
  builder.End(std::move(max_entries));
  MetricFamily lost = Builder::Begin(families.lost_events, stats.lost_events.size());
  for (const LostEvents& buffer : stats.lost_events) {
    Builder::Put(lost, families.lost_events, {buffer.buffer}, Count(buffer.events));
  }
  builder.End(std::move(lost));
  builder.End(std::move(failed));
}

void AddExporter(Builder& builder, const Families& families, const Sample& sample) {
  const ExporterStats& stats = sample.stats;
  const Report& report = sample.report;
  builder.Labelled(families.build_info, {{stats.version, 1}});
  builder.Single(families.collect_duration, Seconds(stats.collect_ns));
  builder.Single(families.collections, Count(stats.collections));
  builder.Single(families.collection_errors, Count(stats.collection_errors));
  AddMaps(builder, families, stats);
  builder.Single(families.event_lines, Count(stats.event_lines));
  builder.Single(families.torn_entries, Count(stats.torn_entries));
  builder.Single(families.incomplete_walks, Count(stats.incomplete_walks));
  builder.Labelled(families.folded_series, {{"process", Count(report.other_processes.folded)},
                                            {"group", Count(report.other_groups.folded)},
                                            {"cgroup", Count(report.other_cgroups.folded)}});
  AddPrograms(builder, families, stats);
  builder.Single(families.rule_evaluations, Count(stats.rule_evaluations));
  builder.Single(families.reload_successful, stats.reload_successful ? 1 : 0);
  builder.Single(families.reload_timestamp, Seconds(stats.reload_unix_ns));
}

void AddSelf(Builder& builder, const Families& families, const Sample& sample) {
  const SelfStats& self = sample.stats.self;
  builder.Single(families.self_cpu, Seconds(self.cpu_ns));
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
