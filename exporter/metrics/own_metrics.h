#pragma once

#include "exporter/metrics/builder.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter {

/// What the exporter says of itself.
void AddOwn(Builder& builder, const Families& families, const Sample& sample);

}  // namespace sched_exporter
