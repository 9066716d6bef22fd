#include "exporter/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include "exporter/metrics/families.h"

namespace sched_exporter {
namespace {

using prometheus::MetricFamily;
using Values = std::vector<std::string>;

double Seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

/// Collects families; a family without series is left out.
class Builder {
 public:
  MetricFamily Begin(const Family& family, std::size_t series) {
    MetricFamily made;
    made.name = family.name;
    made.help = family.help;
    made.type = family.type;
    made.metric.reserve(series);
    return made;
  }

  static void Put(MetricFamily& to, const Family& family, Values values, double value) {
    prometheus::ClientMetric& metric = to.metric.emplace_back();
    metric.label.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      metric.label.push_back({family.labels[i], std::move(values[i])});
    }
    if (family.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

  void End(MetricFamily family) {
    if (!family.metric.empty()) {
      families_.push_back(std::move(family));
    }
  }

  void Single(const Family& family, double value) {
    MetricFamily made = Begin(family, 1);
    Put(made, family, {}, value);
    End(std::move(made));
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

/// A row of any view: its label values, and what it counts.
struct Series {
  Values labels;
  const Totals* totals = nullptr;
  const Population* population = nullptr;
};

Values With(const Values& labels, const char* last) {
  Values values;
  values.reserve(labels.size() + 1);
  values = labels;
  values.emplace_back(last);
  return values;
}

void AddView(Builder& builder, const ViewFamilies& families, const std::vector<Series>& rows) {
  const std::size_t n = rows.size();
  MetricFamily cpu = builder.Begin(families.cpu, 2 * n);
  MetricFamily wait = builder.Begin(families.wait, n);
  MetricFamily switches = builder.Begin(families.switches, 2 * n);
  MetricFamily timeslices = builder.Begin(families.timeslices, n);
  MetricFamily migrations = builder.Begin(families.migrations, n);
  MetricFamily threads = builder.Begin(families.threads, n);
  for (const Series& row : rows) {
    const Totals& t = *row.totals;
    const auto count = [](std::uint64_t value) { return static_cast<double>(value); };
    Builder::Put(cpu, families.cpu, With(row.labels, "user"), Seconds(t.user_ns));
    Builder::Put(cpu, families.cpu, With(row.labels, "system"), Seconds(t.system_ns));
    Builder::Put(wait, families.wait, row.labels, Seconds(t.wait_ns));
    Builder::Put(switches, families.switches, With(row.labels, "voluntary"),
                 count(t.voluntary_switches));
    Builder::Put(switches, families.switches, With(row.labels, "involuntary"),
                 count(t.involuntary_switches));
    Builder::Put(timeslices, families.timeslices, row.labels, count(t.timeslices));
    Builder::Put(migrations, families.migrations, row.labels, count(t.migrations));
    Builder::Put(threads, families.threads, row.labels, row.population->threads);
  }
  for (MetricFamily* family : {&cpu, &wait, &switches, &timeslices, &migrations, &threads}) {
    builder.End(std::move(*family));
  }
}

constexpr char kOther[] = "other";

void AddProcesses(Builder& builder, const Families& families, const Sample& sample) {
  const Report& report = sample.report;
  std::vector<Series> rows;
  rows.reserve(report.processes.size() + 1);
  MetricFamily start = builder.Begin(families.process_start_time, report.processes.size());
  MetricFamily info = builder.Begin(families.process_info, report.processes.size());
  for (const ProcessRow& row : report.processes) {
    Values labels{std::to_string(row.pid), row.comm, row.group};
    Builder::Put(
        info, families.process_info,
        {labels[0], std::to_string(row.ppid), row.comm, row.group, row.exe, row.user, row.cgroup},
        1);
    Builder::Put(start, families.process_start_time, labels,
                 Seconds(sample.boot_unix_ns + row.population.oldest_start_ns));
    rows.push_back({std::move(labels), &row.totals, &row.population});
  }
  if (report.other_processes.present) {
    rows.push_back({{kOther, kOther, kOther},
                    &report.other_processes.totals,
                    &report.other_processes.population});
  }
  AddView(builder, families.process, rows);
  builder.End(std::move(start));
  builder.End(std::move(info));
}

std::vector<Series> NamedSeries(const std::vector<NamedRow>& named, const OtherRow& other) {
  std::vector<Series> rows;
  rows.reserve(named.size() + 1);
  for (const NamedRow& row : named) {
    rows.push_back({{row.name}, &row.totals, &row.population});
  }
  if (other.present) {
    rows.push_back({{kOther}, &other.totals, &other.population});
  }
  return rows;
}

void AddProcessCounts(Builder& builder, const Family& family, const std::vector<Series>& rows) {
  MetricFamily processes = builder.Begin(family, rows.size());
  for (const Series& row : rows) {
    Builder::Put(processes, family, row.labels, row.population->processes);
  }
  builder.End(std::move(processes));
}

void AddGroupsAndCgroups(Builder& builder, const Families& families, const Sample& sample) {
  const Report& report = sample.report;
  const std::vector<Series> groups = NamedSeries(report.groups, report.other_groups);
  const std::vector<Series> cgroups = NamedSeries(report.cgroups, report.other_cgroups);
  AddView(builder, families.group, groups);
  AddProcessCounts(builder, families.group_processes, groups);
  MetricFamily oldest = builder.Begin(families.group_oldest_start_time, groups.size());
  for (const Series& row : groups) {
    if (row.population->oldest_start_ns != 0) {
      Builder::Put(oldest, families.group_oldest_start_time, row.labels,
                   Seconds(sample.boot_unix_ns + row.population->oldest_start_ns));
    }
  }
  builder.End(std::move(oldest));
  AddView(builder, families.cgroup, cgroups);
  AddProcessCounts(builder, families.cgroup_processes, cgroups);
}

void AddHost(Builder& builder, const Families& families, const Report& report) {
  MetricFamily busy = builder.Begin(families.cpu_busy, report.cpus.size());
  MetricFamily missed = builder.Begin(families.missed_switches, report.cpus.size());
  for (const CpuRow& row : report.cpus) {
    Builder::Put(busy, families.cpu_busy, {std::to_string(row.cpu)}, Seconds(row.busy_ns));
    Builder::Put(missed, families.missed_switches, {std::to_string(row.cpu)},
                 static_cast<double>(row.missed_switches));
  }
  builder.End(std::move(busy));
  builder.End(std::move(missed));
  builder.Single(families.unattributed, Seconds(report.unattributed_ns));
  builder.Single(families.tasks, static_cast<double>(report.tasks));
}

/// One family whose series differ in one label.
void AddLabelled(Builder& builder, const Family& family,
                 const std::vector<std::pair<std::string, double>>& values) {
  MetricFamily made = builder.Begin(family, values.size());
  for (const auto& [label, value] : values) {
    Builder::Put(made, family, {label}, value);
  }
  builder.End(std::move(made));
}

void AddPrograms(Builder& builder, const Families& families, const ExporterStats& stats) {
  MetricFamily runs = builder.Begin(families.program_runs, stats.programs.size());
  MetricFamily time = builder.Begin(families.program_run_seconds, stats.programs.size());
  MetricFamily misses = builder.Begin(families.program_misses, stats.programs.size());
  for (const ProgramStats& program : stats.programs) {
    Builder::Put(runs, families.program_runs, {program.name}, static_cast<double>(program.runs));
    Builder::Put(time, families.program_run_seconds, {program.name}, Seconds(program.run_ns));
    Builder::Put(misses, families.program_misses, {program.name},
                 static_cast<double>(program.recursion_misses));
  }
  builder.End(std::move(runs));
  builder.End(std::move(time));
  builder.End(std::move(misses));
}

void AddMaps(Builder& builder, const Families& families, const ExporterStats& stats) {
  MetricFamily entries = builder.Begin(families.map_entries, stats.maps.size());
  MetricFamily max_entries = builder.Begin(families.map_max_entries, stats.maps.size());
  MetricFamily failed = builder.Begin(families.failed_updates, stats.maps.size());
  for (const MapStats& map : stats.maps) {
    Builder::Put(entries, families.map_entries, {map.name}, static_cast<double>(map.entries));
    Builder::Put(max_entries, families.map_max_entries, {map.name},
                 static_cast<double>(map.max_entries));
    Builder::Put(failed, families.failed_updates, {map.name},
                 static_cast<double>(map.failed_updates));
  }
  builder.End(std::move(entries));
  builder.End(std::move(max_entries));
  MetricFamily lost = builder.Begin(families.lost_events, stats.lost_events.size());
  for (const LostEvents& buffer : stats.lost_events) {
    Builder::Put(lost, families.lost_events, {buffer.buffer}, static_cast<double>(buffer.events));
  }
  builder.End(std::move(lost));
  builder.End(std::move(failed));
}

void AddExporter(Builder& builder, const Families& families, const Sample& sample) {
  const ExporterStats& stats = sample.stats;
  const Report& report = sample.report;
  const auto count = [](std::uint64_t value) { return static_cast<double>(value); };
  AddLabelled(builder, families.build_info, {{stats.version, 1}});
  builder.Single(families.collect_duration, Seconds(stats.collect_ns));
  builder.Single(families.collections, count(stats.collections));
  builder.Single(families.collection_errors, count(stats.collection_errors));
  AddMaps(builder, families, stats);
  builder.Single(families.torn_entries, count(stats.torn_entries));
  builder.Single(families.incomplete_walks, count(stats.incomplete_walks));
  AddLabelled(builder, families.folded_series,
              {{"process", count(report.other_processes.folded)},
               {"group", count(report.other_groups.folded)},
               {"cgroup", count(report.other_cgroups.folded)}});
  AddPrograms(builder, families, stats);
  builder.Single(families.reload_successful, stats.reload_successful ? 1 : 0);
  builder.Single(families.reload_timestamp, Seconds(stats.reload_unix_ns));
}

void AddSelf(Builder& builder, const Families& families, const Sample& sample) {
  const SelfStats& self = sample.stats.self;
  builder.Single(families.self_cpu, Seconds(self.cpu_ns));
  builder.Single(families.self_open_fds, static_cast<double>(self.open_fds));
  builder.Single(families.self_max_fds, static_cast<double>(self.max_fds));
  builder.Single(families.self_virtual_memory, static_cast<double>(self.virtual_bytes));
  builder.Single(families.self_resident_memory, static_cast<double>(self.resident_bytes));
  builder.Single(families.self_start_time, Seconds(sample.boot_unix_ns + self.start_boottime_ns));
}

}  // namespace

std::vector<prometheus::MetricFamily> SampleCollectable::Collect() const {
  static const Families families;
  Builder builder;
  AddProcesses(builder, families, *sample_);
  AddGroupsAndCgroups(builder, families, *sample_);
  AddHost(builder, families, sample_->report);
  AddExporter(builder, families, *sample_);
  AddSelf(builder, families, *sample_);
  return builder.Take();
}

std::string SerializeText(const prometheus::Collectable& collectable) {
  return prometheus::TextSerializer().Serialize(collectable.Collect());
}

}  // namespace sched_exporter
