#pragma once

#include "exporter/metrics/exposition.h"
#include "exporter/metrics/named_rows.h"

namespace sched_exporter {

/// What each process, group and cgroup uses, and what lives in it.
void AddViews(SeriesSink& sink, const Families& families, const Sample& sample,
              const NamedRows& rows);

}  // namespace sched_exporter
