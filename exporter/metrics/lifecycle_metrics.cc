#include "exporter/metrics/lifecycle_metrics.h"

#include <map>

#include "exporter/model/exit_code_name.h"

namespace sched_exporter {
namespace {

/// A group or cgroup, or all that have no series of their own.
struct Row {
  LabelValues labels;
  const Lifecycle* lifecycle;
  std::uint64_t since_ns;
};

std::vector<Row> RowsOf(const std::vector<NamedRow>& named, const OtherRow& other) {
  std::vector<Row> rows;
  rows.reserve(named.size() + 1);
  for (const NamedRow& row : named) {
    rows.push_back({LabelsOf(row), &row.lifecycle, row.since_ns});
  }
  if (other.present) {
    rows.push_back({{kOther}, &other.lifecycle, other.since_ns});
  }
  return rows;
}

/// An errno, or all those that have no series of their own.
std::string ErrnoLabel(std::uint32_t error) {
  return error == kOtherCode ? kOther : ErrnoName(error);
}

/// A series for each row, also where nothing happened yet.
void AddCounts(Builder& builder, const Family& family, const std::vector<Row>& rows,
               std::uint64_t Lifecycle::*field) {
  MadeFamily made = Builder::Begin(family, rows.size());
  for (const Row& row : rows) {
    Builder::PutCounter(made, family, row.labels, Count(row.lifecycle->*field), row.since_ns);
  }
  builder.End(std::move(made));
}

/// A series for each code that was seen in a row; it has counted from 0 as long as the others.
void AddCodes(Builder& builder, const Family& family, const std::vector<Row>& rows,
              std::map<std::uint32_t, std::uint64_t> Lifecycle::*field,
              std::string (*name_of)(std::uint32_t)) {
  MadeFamily made = Builder::Begin(family, rows.size());
  for (const Row& row : rows) {
    for (const auto& [code, count] : row.lifecycle->*field) {
      Builder::PutCounter(made, family, With(row.labels, name_of(code)), Count(count),
                          row.since_ns);
    }
  }
  builder.End(std::move(made));
}

void AddLifecycle(Builder& builder, const LifecycleFamilies& families,
                  const std::vector<Row>& rows) {
  AddCounts(builder, families.execs, rows, &Lifecycle::execs);
  AddCodes(builder, families.exec_failures, rows, &Lifecycle::exec_failures, ErrnoLabel);
  AddCounts(builder, families.forks, rows, &Lifecycle::forks);
  AddCounts(builder, families.thread_starts, rows, &Lifecycle::thread_starts);
  AddCodes(builder, families.exits, rows, &Lifecycle::exits, ExitCodeName);
  AddCounts(builder, families.oom_kills, rows, &Lifecycle::oom_kills);
}

/// A histogram has 18 lines: none for a row in which no process ended.
void AddLifetimes(Builder& builder, const Family& family, const std::vector<Row>& rows) {
  MadeFamily made = Builder::Begin(family, rows.size());
  for (const Row& row : rows) {
    prometheus::ClientMetric::Histogram histogram = HistogramOf(
        row.lifecycle->lifetimes.buckets, kLifetimeBoundsNs, row.lifecycle->lifetimes.sum_ns);
    if (histogram.sample_count != 0) {
      Builder::PutHistogram(made, family, row.labels, std::move(histogram), row.since_ns);
    }
  }
  builder.End(std::move(made));
}

void AddHostFailures(Builder& builder, const Family& family, const Report& report) {
  MadeFamily made = Builder::Begin(family, report.exec_failures.size());
  for (const auto& [error, count] : report.exec_failures) {
    Builder::PutCounter(made, family, {ErrnoLabel(error)}, Count(count), report.since_ns);
  }
  builder.End(std::move(made));
}

}  // namespace

void AddLifecycles(Builder& builder, const Families& families, const Report& report) {
  const std::vector<Row> groups = RowsOf(report.groups, report.other_groups);
  AddLifecycle(builder, families.group_lifecycle, groups);
  AddLifetimes(builder, families.group_lifetime, groups);
  AddLifecycle(builder, families.cgroup_lifecycle, RowsOf(report.cgroups, report.other_cgroups));
  AddLifecycle(builder, families.removed_cgroup_lifecycle, RowsOf(report.removed_cgroups, {}));
  AddHostFailures(builder, families.exec_failures, report);
}

}  // namespace sched_exporter
