#pragma once

#include "exporter/metrics/named_rows.h"

namespace sched_exporter {

/// The histograms of timeslices and of run-queue latency.
void AddDistributions(SeriesSink& sink, const Families& families, const NamedRows& rows);

}  // namespace sched_exporter
