#pragma once

#include "exporter/model/exporter_stats.h"

namespace sched_exporter {

/// This process's own figures, from /proc/self and getrusage.
SelfStats ReadSelfStats();

}  // namespace sched_exporter
