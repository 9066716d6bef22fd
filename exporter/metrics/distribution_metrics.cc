#include "exporter/metrics/distribution_metrics.h"

#include <array>

namespace sched_exporter {
namespace {

constexpr std::array<std::uint64_t, kDurationBounds> kDurationBoundsNs = [] {
  std::array<std::uint64_t, kDurationBounds> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = Durations::BoundNs(i);
  }
  return bounds;
}();

/// A histogram has 28 lines: none for a cgroup in which no timeslice ended.
void AddDurations(SeriesSink& sink, const Family& family, const std::vector<ViewRow>& rows,
                  Durations Distributions::*field) {
  sink.Begin(family);
  for (const ViewRow& row : rows) {
    const Durations& durations = row.distributions->*field;
    if (durations.Count() != 0) {
      sink.PutHistogram(row.labels, {durations.buckets, kDurationBoundsNs, durations.sum_ns},
                        row.since_ns);
    }
  }
}

void AddDistributionsOfView(SeriesSink& sink, const DistributionFamilies& families,
                            const std::vector<ViewRow>& rows) {
  AddDurations(sink, families.runqueue_latency, rows, &Distributions::runqueue_latency);
  AddDurations(sink, families.timeslice, rows, &Distributions::timeslice);
}

}  // namespace

void AddDistributions(SeriesSink& sink, const Families& families, const NamedRows& rows) {
  AddDistributionsOfView(sink, families.cgroup_distributions, rows.cgroups);
  AddDistributionsOfView(sink, families.removed_cgroup_distributions, rows.removed_cgroups);
}

}  // namespace sched_exporter
