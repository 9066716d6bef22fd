#pragma once

#include "exporter/metrics/named_rows.h"

namespace sched_exporter {

/// What happened in the lives of processes, by group, by cgroup and on the host.
void AddLifecycles(SeriesSink& sink, const Families& families, const Report& report,
                   const NamedRows& rows);

}  // namespace sched_exporter
