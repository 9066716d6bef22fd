#include "exporter/metrics/own_metrics.h"

namespace sched_exporter {
namespace {

/// A family that has a counter or gauge for each of `items`, which tell it by name.
template <typename Item>
void AddByName(SeriesSink& sink, const Family& family, const std::vector<Item>& items,
               std::string Item::*name, Value (*value_of)(const Item&), std::uint64_t since_ns) {
  sink.Begin(family);
  for (const Item& item : items) {
    const RowLabels labels(family, {item.*name});
    if (family.type == prometheus::MetricType::Counter) {
      sink.PutCounter(labels, value_of(item), since_ns);
    } else {
      sink.Put(labels, value_of(item));
    }
  }
}

void AddPrograms(SeriesSink& sink, const Families& families, const ExporterStats& stats) {
  const auto add = [&](const Family& family, Value (*value_of)(const ProgramStats&)) {
    AddByName(sink, family, stats.programs, &ProgramStats::name, value_of, stats.since_ns);
  };
  add(families.program_runs, [](const ProgramStats& program) { return Count(program.runs); });
  add(families.program_run_seconds,
      [](const ProgramStats& program) { return Seconds(program.run_ns); });
  add(families.program_misses,
      [](const ProgramStats& program) { return Count(program.recursion_misses); });
}

void AddMaps(SeriesSink& sink, const Families& families, const ExporterStats& stats) {
  const auto add = [&](const Family& family, Value (*value_of)(const MapStats&)) {
    AddByName(sink, family, stats.maps, &MapStats::name, value_of, stats.since_ns);
  };
  add(families.map_entries, [](const MapStats& map) { return Count(map.entries); });
  add(families.map_max_entries, [](const MapStats& map) { return Count(map.max_entries); });
  AddByName(
      sink, families.lost_events, stats.lost_events, &LostEvents::buffer,
      +[](const LostEvents& buffer) { return Count(buffer.events); }, stats.since_ns);
  add(families.failed_updates, [](const MapStats& map) { return Count(map.failed_updates); });
}

void AddExporter(SeriesSink& sink, const Families& families, const Sample& sample) {
  const ExporterStats& stats = sample.stats;
  const Report& report = sample.report;
  sink.Labelled(families.build_info, {{stats.version, Count(1)}});
  sink.Labelled(families.mode_info,
                {{stats.mode == Mode::kPortable ? "portable" : "full", Count(1)}});
  sink.Single(families.collect_duration, Seconds(stats.collect_ns));
  sink.SingleCounter(families.collections, Count(stats.collections), stats.since_ns);
  sink.SingleCounter(families.collection_errors, Count(stats.collection_errors), stats.since_ns);
  AddMaps(sink, families, stats);
  sink.SingleCounter(families.event_lines, Count(stats.event_lines), stats.since_ns);
  sink.SingleCounter(families.torn_entries, Count(stats.torn_entries), stats.since_ns);
  sink.SingleCounter(families.incomplete_walks, Count(stats.incomplete_walks), stats.since_ns);
  sink.Labelled(families.folded_series, {{"process", Count(report.other_processes.folded)},
                                         {"group", Count(report.other_groups.folded)},
                                         {"cgroup", Count(report.other_cgroups.folded)}});
  AddPrograms(sink, families, stats);
  sink.SingleCounter(families.rule_evaluations, Count(stats.rule_evaluations), stats.since_ns);
  sink.Single(families.reload_successful, Count(stats.reload_successful ? 1 : 0));
  sink.Single(families.reload_timestamp, Seconds(stats.reload_unix_ns));
  if (stats.keeps_totals) {
    sink.Single(families.persistence_bytes, Count(stats.kept_bytes));
    sink.Single(families.persistence_duration, Seconds(stats.keep_ns));
    sink.SingleCounter(families.persistence_errors, Count(stats.keep_errors), stats.since_ns);
  }
}

void AddSelf(SeriesSink& sink, const Families& families, const Sample& sample) {
  const SelfStats& self = sample.stats.self;
  sink.SingleCounter(families.self_cpu, Seconds(self.cpu_ns), self.start_boottime_ns);
  sink.Single(families.self_open_fds, Count(self.open_fds));
  sink.Single(families.self_max_fds, Count(self.max_fds));
  sink.Single(families.self_virtual_memory, Count(self.virtual_bytes));
  sink.Single(families.self_resident_memory, Count(self.resident_bytes));
  sink.Single(families.self_start_time, Seconds(sample.boot_unix_ns + self.start_boottime_ns));
}

}  // namespace

void AddOwn(SeriesSink& sink, const Families& families, const Sample& sample) {
  AddExporter(sink, families, sample);
  AddSelf(sink, families, sample);
}

}  // namespace sched_exporter
