#include "exporter/metrics/named_rows.h"

namespace sched_exporter {
namespace {

/// `family` is one of the view's.
std::vector<ViewRow> ViewRowsOf(const Family& family, const std::vector<NamedRow>& named,
                                const OtherRow& other) {
  std::vector<ViewRow> rows;
  rows.reserve(named.size() + 1);
  for (const NamedRow& row : named) {
    rows.push_back({RowLabels(family, {row.name}, row.labels), &row.totals, &row.population,
                    &row.lifecycle, &row.distributions, row.since_ns});
  }
  if (other.present) {
    rows.push_back({RowLabels(family, {kOther}), &other.totals, &other.population, &other.lifecycle,
                    &other.distributions, other.since_ns});
  }
  return rows;
}

}  // namespace

NamedRows::NamedRows(const Families& families, const Report& report)
    : groups(ViewRowsOf(families.group.wait, report.groups, report.other_groups)),
      cgroups(ViewRowsOf(families.cgroup.wait, report.cgroups, report.other_cgroups)),
      removed_cgroups(ViewRowsOf(families.removed_cgroup.wait, report.removed_cgroups, {})) {}

}  // namespace sched_exporter
