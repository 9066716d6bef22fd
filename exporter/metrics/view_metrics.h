#pragma once

#include "exporter/metrics/builder.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter {

/// What each process, group and cgroup uses, and what lives in it.
void AddViews(Builder& builder, const Families& families, const Sample& sample);

}  // namespace sched_exporter
