#pragma once

#include "exporter/metrics/builder.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// The histograms of timeslices and of run-queue latency.
void AddDistributions(Builder& builder, const Families& families, const Report& report);

}  // namespace sched_exporter
