#pragma once

#include <string>

#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// An event as one JSON object (RFC 8259) with "\n" after it and none inside. Keys have one order,
/// those that don't apply are left out. Seconds are exact to the nanosecond. `arguments` lets the
/// program's arguments in, which may hold secrets.
std::string JsonLine(const LifecycleEvent& event, bool arguments);

}  // namespace sched_exporter
