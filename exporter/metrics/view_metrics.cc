#include "exporter/metrics/view_metrics.h"

namespace sched_exporter {
namespace {

/// A row of the view of processes: what ViewRow has of the others.
struct ProcessSeries {
  RowLabels labels;
  const Totals* totals;
  const Population* population;
  std::uint64_t since_ns;
};

/// Makes a value of a count or of nanoseconds.
using ValueOf = Value (*)(std::uint64_t);

/// A series of a family that has several for each row, told apart by its last label.
struct LabelledTotal {
  std::string_view last_label;  ///< Its value.
  std::uint64_t Totals::*field;
};

template <typename Row>
void AddPairs(SeriesSink& sink, const Family& family, const std::vector<Row>& rows,
              ValueOf value_of, const LabelledTotal& first, const LabelledTotal& second) {
  sink.Begin(family);
  for (const Row& row : rows) {
    for (const LabelledTotal& total : {first, second}) {
      sink.PutCounter({row.labels, total.last_label}, value_of(row.totals->*total.field),
                      row.since_ns);
    }
  }
}

/// Where nobody sampled the modes.
template <typename Row>
void AddCpuUnsplit(SeriesSink& sink, const Family& family, const std::vector<Row>& rows) {
  sink.Begin(family);
  for (const Row& row : rows) {
    sink.PutCounter({row.labels, "unknown"}, Seconds(row.totals->user_ns + row.totals->system_ns),
                    row.since_ns);
  }
}

template <typename Row>
void AddTotals(SeriesSink& sink, const Family& family, const std::vector<Row>& rows,
               ValueOf value_of, std::uint64_t Totals::*field) {
  sink.Begin(family);
  for (const Row& row : rows) {
    sink.PutCounter(row.labels, value_of(row.totals->*field), row.since_ns);
  }
}

template <typename Row>
void AddPopulations(SeriesSink& sink, const Family& family, const std::vector<Row>& rows,
                    std::uint32_t Population::*field) {
  sink.Begin(family);
  for (const Row& row : rows) {
    sink.Put(row.labels, Count(row.population->*field));
  }
}

template <typename Row>
void AddView(SeriesSink& sink, const ViewFamilies& families, const std::vector<Row>& rows,
             Mode mode) {
  if (mode == Mode::kPortable) {
    AddCpuUnsplit(sink, families.cpu, rows);
  } else {
    AddPairs(sink, families.cpu, rows, Seconds, {"user", &Totals::user_ns},
             {"system", &Totals::system_ns});
  }
  AddTotals(sink, families.wait, rows, Seconds, &Totals::wait_ns);
  AddPairs(sink, families.switches, rows, Count, {"voluntary", &Totals::voluntary_switches},
           {"involuntary", &Totals::involuntary_switches});
  AddTotals(sink, families.timeslices, rows, Count, &Totals::timeslices);
  AddTotals(sink, families.migrations, rows, Count, &Totals::migrations);
  if (!families.threads.name.empty()) {
    AddPopulations(sink, families.threads, rows, &Population::threads);
  }
}

std::vector<ProcessSeries> SeriesOfProcesses(const Family& family, const Report& report) {
  std::vector<ProcessSeries> rows;
  rows.reserve(report.processes.size() + 1);
  for (const ProcessRow& row : report.processes) {
    rows.push_back({RowLabels(family, {std::to_string(row.pid), row.comm, row.group}), &row.totals,
                    &row.population, row.since_ns});
  }
  const OtherRow& other = report.other_processes;
  if (other.present) {
    rows.push_back({RowLabels(family, {kOther, report.other_comm, report.other_group}),
                    &other.totals, &other.population, other.since_ns});
  }
  return rows;
}

void AddProcessStarts(SeriesSink& sink, const Family& family,
                      const std::vector<ProcessSeries>& rows, const Sample& sample) {
  sink.Begin(family);
  for (std::size_t i = 0; i < sample.report.processes.size(); ++i) {
    sink.Put(rows[i].labels, Seconds(sample.boot_unix_ns + rows[i].population->oldest_start_ns));
  }
}

void AddProcessInfos(SeriesSink& sink, const Family& family, const Report& report) {
  sink.Begin(family);
  for (const ProcessRow& row : report.processes) {
    const std::string ppid = row.ppid ? std::to_string(*row.ppid) : std::string();
    sink.Put(RowLabels(family,
                       {std::to_string(row.pid), ppid, row.comm, row.group, row.exe, row.user,
                        row.cgroup},
                       row.cgroup_labels),
             Count(1));
  }
}

void AddProcesses(SeriesSink& sink, const Families& families, const Sample& sample) {
  const std::vector<ProcessSeries> rows = SeriesOfProcesses(families.process.wait, sample.report);
  AddView(sink, families.process, rows, sample.stats.mode);
  AddProcessStarts(sink, families.process_start_time, rows, sample);
  AddProcessInfos(sink, families.process_info, sample.report);
}

void AddOldestStarts(SeriesSink& sink, const Family& family, const std::vector<ViewRow>& rows,
                     std::uint64_t boot_unix_ns) {
  sink.Begin(family);
  for (const ViewRow& row : rows) {
    if (row.population->oldest_start_ns != 0) {
      sink.Put(row.labels, Seconds(boot_unix_ns + row.population->oldest_start_ns));
    }
  }
}

}  // namespace

void AddViews(SeriesSink& sink, const Families& families, const Sample& sample,
              const NamedRows& rows) {
  AddProcesses(sink, families, sample);
  AddView(sink, families.group, rows.groups, sample.stats.mode);
  AddPopulations(sink, families.group_processes, rows.groups, &Population::processes);
  AddOldestStarts(sink, families.group_oldest_start_time, rows.groups, sample.boot_unix_ns);
  AddView(sink, families.cgroup, rows.cgroups, sample.stats.mode);
  AddPopulations(sink, families.cgroup_processes, rows.cgroups, &Population::processes);
  AddView(sink, families.removed_cgroup, rows.removed_cgroups, sample.stats.mode);
}

}  // namespace sched_exporter
