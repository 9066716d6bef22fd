#include "exporter/metrics/distribution_metrics.h"

#include <array>

namespace sched_exporter {
namespace {

/// A cgroup, or all that have no series of their own.
struct DistributionRow {
  LabelValues labels;
  const Distributions* distributions;
  std::uint64_t since_ns;
};

std::vector<DistributionRow> DistributionRows(const std::vector<NamedRow>& cgroups,
                                              const OtherRow& other) {
  std::vector<DistributionRow> rows;
  rows.reserve(cgroups.size() + 1);
  for (const NamedRow& row : cgroups) {
    rows.push_back({LabelsOf(row), &row.distributions, row.since_ns});
  }
  if (other.present) {
    rows.push_back({{kOther}, &other.distributions, other.since_ns});
  }
  return rows;
}

/// A histogram has 28 lines: none for a cgroup in which no timeslice ended.
void AddDurations(Builder& builder, const Family& family, const std::vector<DistributionRow>& rows,
                  Durations Distributions::*field) {
  static const std::array<std::uint64_t, kDurationBounds> kBoundsNs = [] {
    std::array<std::uint64_t, kDurationBounds> bounds{};
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      bounds[i] = Durations::BoundNs(i);
    }
    return bounds;
  }();
  MadeFamily made = Builder::Begin(family, rows.size());
  for (const DistributionRow& row : rows) {
    const Durations& durations = row.distributions->*field;
    if (durations.Count() != 0) {
      Builder::PutHistogram(made, family, row.labels,
                            HistogramOf(durations.buckets, kBoundsNs, durations.sum_ns),
                            row.since_ns);
    }
  }
  builder.End(std::move(made));
}

void AddFamilies(Builder& builder, const DistributionFamilies& families,
                 const std::vector<DistributionRow>& rows) {
  AddDurations(builder, families.runqueue_latency, rows, &Distributions::runqueue_latency);
  AddDurations(builder, families.timeslice, rows, &Distributions::timeslice);
}

}  // namespace

void AddDistributions(Builder& builder, const Families& families, const Report& report) {
  AddFamilies(builder, families.cgroup_distributions,
              DistributionRows(report.cgroups, report.other_cgroups));
  AddFamilies(builder, families.removed_cgroup_distributions,
              DistributionRows(report.removed_cgroups, {}));
}

}  // namespace sched_exporter
