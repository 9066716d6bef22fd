#pragma once

#include "exporter/metrics/builder.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// What happened in the lives of processes, by group, by cgroup and on the host.
void AddLifecycles(Builder& builder, const Families& families, const Report& report);

}  // namespace sched_exporter
