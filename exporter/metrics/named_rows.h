#pragma once

#include <cstdint>
#include <vector>

#include "exporter/metrics/series_sink.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// A group or cgroup, or all of a view that have no series of their own: what its series say.
/// Refers to the report.
struct ViewRow {
  RowLabels labels;
  const Totals* totals;
  const Population* population;
  const Lifecycle* lifecycle;
  const Distributions* distributions;
  std::uint64_t since_ns;
};

/// The rows of all views but that of processes; their labels are for all families of the view.
struct NamedRows {
  NamedRows(const Families& families, const Report& report);

  std::vector<ViewRow> groups;
  std::vector<ViewRow> cgroups;
  std::vector<ViewRow> removed_cgroups;
};

}  // namespace sched_exporter
