#pragma once

#include "exporter/metrics/exposition.h"
#include "exporter/metrics/series_sink.h"

namespace sched_exporter {

/// What the exporter says of itself.
void AddOwn(SeriesSink& sink, const Families& families, const Sample& sample);

}  // namespace sched_exporter
