#pragma once

#include "exporter/config/config.h"

namespace sched_exporter {

/// Removes the programs, maps and totals that an exporter has left where the config says, whether
/// persistence is enabled now or not; all counters then begin at 0. Prints what it did. Returns the
/// exit code: 1 where an exporter uses them, or they can't be removed.
int RunDetachCommand(const PersistenceConfig& config);

}  // namespace sched_exporter
