#include "exporter/metrics/view_metrics.h"

namespace sched_exporter {
namespace {

/// A row of any view: its label values, and what it counts.
struct Series {
  LabelValues labels;
  const Totals* totals;
  const Population* population;
  std::uint64_t since_ns;
};

void AddView(Builder& builder, const ViewFamilies& families, const std::vector<Series>& rows) {
  const std::size_t n = rows.size();
  MadeFamily cpu = Builder::Begin(families.cpu, 2 * n);
  MadeFamily wait = Builder::Begin(families.wait, n);
  MadeFamily switches = Builder::Begin(families.switches, 2 * n);
  MadeFamily timeslices = Builder::Begin(families.timeslices, n);
  MadeFamily migrations = Builder::Begin(families.migrations, n);
  MadeFamily threads = Builder::Begin(families.threads, n);
  for (const Series& row : rows) {
    const Totals& t = *row.totals;
    Builder::PutCounter(cpu, families.cpu, With(row.labels, "user"), Seconds(t.user_ns),
                        row.since_ns);
    Builder::PutCounter(cpu, families.cpu, With(row.labels, "system"), Seconds(t.system_ns),
                        row.since_ns);
    Builder::PutCounter(wait, families.wait, row.labels, Seconds(t.wait_ns), row.since_ns);
    Builder::PutCounter(switches, families.switches, With(row.labels, "voluntary"),
                        Count(t.voluntary_switches), row.since_ns);
    Builder::PutCounter(switches, families.switches, With(row.labels, "involuntary"),
                        Count(t.involuntary_switches), row.since_ns);
    Builder::PutCounter(timeslices, families.timeslices, row.labels, Count(t.timeslices),
                        row.since_ns);
    Builder::PutCounter(migrations, families.migrations, row.labels, Count(t.migrations),
                        row.since_ns);
    if (!families.threads.name.empty()) {
      Builder::Put(threads, families.threads, row.labels, row.population->threads);
    }
  }
  for (MadeFamily* family : {&cpu, &wait, &switches, &timeslices, &migrations, &threads}) {
    builder.End(std::move(*family));
  }
}

LabelValues InfoLabels(const ProcessRow& row) {
  LabelValues labels{std::to_string(row.pid),
                     row.ppid ? std::to_string(*row.ppid) : std::string(),
                     row.comm,
                     row.group,
                     row.exe,
                     row.user,
                     row.cgroup};
  labels.more = &row.cgroup_labels;
  return labels;
}

void AddProcesses(Builder& builder, const Families& families, const Sample& sample) {
  const Report& report = sample.report;
  std::vector<Series> rows;
  rows.reserve(report.processes.size() + 1);
  MadeFamily start = Builder::Begin(families.process_start_time, report.processes.size());
  MadeFamily info = Builder::Begin(families.process_info, report.processes.size());
  for (const ProcessRow& row : report.processes) {
    LabelValues labels{std::to_string(row.pid), row.comm, row.group};
    Builder::Put(info, families.process_info, InfoLabels(row), 1);
    Builder::Put(start, families.process_start_time, labels,
                 Seconds(sample.boot_unix_ns + row.population.oldest_start_ns));
    rows.push_back({std::move(labels), &row.totals, &row.population, row.since_ns});
  }
  if (report.other_processes.present) {
    rows.push_back({{kOther, report.other_comm, report.other_group},
                    &report.other_processes.totals,
                    &report.other_processes.population,
                    report.other_processes.since_ns});
  }
  AddView(builder, families.process, rows);
  builder.End(std::move(start));
  builder.End(std::move(info));
}

std::vector<Series> NamedSeries(const std::vector<NamedRow>& named, const OtherRow& other) {
  std::vector<Series> rows;
  rows.reserve(named.size() + 1);
  for (const NamedRow& row : named) {
    rows.push_back({LabelsOf(row), &row.totals, &row.population, row.since_ns});
  }
  if (other.present) {
    rows.push_back({{kOther}, &other.totals, &other.population, other.since_ns});
  }
  return rows;
}

void AddProcessCounts(Builder& builder, const Family& family, const std::vector<Series>& rows) {
  MadeFamily processes = Builder::Begin(family, rows.size());
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
  MadeFamily oldest = Builder::Begin(families.group_oldest_start_time, groups.size());
  for (const Series& row : groups) {
    if (row.population->oldest_start_ns != 0) {
      Builder::Put(oldest, families.group_oldest_start_time, row.labels,
                   Seconds(sample.boot_unix_ns + row.population->oldest_start_ns));
    }
  }
  builder.End(std::move(oldest));
  AddView(builder, families.cgroup, cgroups);
  AddProcessCounts(builder, families.cgroup_processes, cgroups);
  AddView(builder, families.removed_cgroup, NamedSeries(report.removed_cgroups, {}));
}

}  // namespace

void AddViews(Builder& builder, const Families& families, const Sample& sample) {
  AddProcesses(builder, families, sample);
  AddGroupsAndCgroups(builder, families, sample);
}

}  // namespace sched_exporter
