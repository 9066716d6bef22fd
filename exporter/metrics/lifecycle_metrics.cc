#include "exporter/metrics/lifecycle_metrics.h"

#include <map>
#include <numeric>

#include "exporter/model/exit_code_name.h"

namespace sched_exporter {
namespace {

/// An errno, or all those that have no series of their own.
std::string ErrnoLabel(std::uint32_t error) {
  return error == kOtherCode ? kOther : ErrnoName(error);
}

/// A series for each row, also where nothing happened yet.
void AddCounts(SeriesSink& sink, const Family& family, const std::vector<ViewRow>& rows,
               std::uint64_t Lifecycle::*field) {
  sink.Begin(family);
  for (const ViewRow& row : rows) {
    sink.PutCounter(row.labels, Count(row.lifecycle->*field), row.since_ns);
  }
}

/// A series for each code that was seen in a row; it has counted from 0 as long as the others.
void AddCodes(SeriesSink& sink, const Family& family, const std::vector<ViewRow>& rows,
              std::map<std::uint32_t, std::uint64_t> Lifecycle::*field,
              std::string (*name_of)(std::uint32_t)) {
  sink.Begin(family);
  for (const ViewRow& row : rows) {
    for (const auto& [code, count] : row.lifecycle->*field) {
      sink.PutCounter({row.labels, name_of(code)}, Count(count), row.since_ns);
    }
  }
}

void AddLifecycle(SeriesSink& sink, const LifecycleFamilies& families,
                  const std::vector<ViewRow>& rows) {
  AddCounts(sink, families.execs, rows, &Lifecycle::execs);
  AddCodes(sink, families.exec_failures, rows, &Lifecycle::exec_failures, ErrnoLabel);
  AddCounts(sink, families.forks, rows, &Lifecycle::forks);
  AddCounts(sink, families.thread_starts, rows, &Lifecycle::thread_starts);
  AddCodes(sink, families.exits, rows, &Lifecycle::exits, ExitCodeName);
  AddCounts(sink, families.oom_kills, rows, &Lifecycle::oom_kills);
}

/// A histogram has 18 lines: none for a row in which no process ended.
void AddLifetimes(SeriesSink& sink, const Family& family, const std::vector<ViewRow>& rows) {
  sink.Begin(family);
  for (const ViewRow& row : rows) {
    const Lifetimes& lifetimes = row.lifecycle->lifetimes;
    if (std::accumulate(lifetimes.buckets.begin(), lifetimes.buckets.end(), std::uint64_t{0}) !=
        0) {
      sink.PutHistogram(row.labels, {lifetimes.buckets, kLifetimeBoundsNs, lifetimes.sum_ns},
                        row.since_ns);
    }
  }
}

void AddHostFailures(SeriesSink& sink, const Family& family, const Report& report) {
  sink.Begin(family);
  for (const auto& [error, count] : report.exec_failures) {
    sink.PutCounter(RowLabels(family, {ErrnoLabel(error)}), Count(count), report.since_ns);
  }
}

}  // namespace

void AddLifecycles(SeriesSink& sink, const Families& families, const Report& report,
                   const NamedRows& rows) {
  AddLifecycle(sink, families.group_lifecycle, rows.groups);
  AddLifetimes(sink, families.group_lifetime, rows.groups);
  AddLifecycle(sink, families.cgroup_lifecycle, rows.cgroups);
  AddLifecycle(sink, families.removed_cgroup_lifecycle, rows.removed_cgroups);
  AddHostFailures(sink, families.exec_failures, report);
}

}  // namespace sched_exporter
