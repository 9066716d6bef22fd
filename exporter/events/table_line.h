#pragma once

#include <string>

#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// The names of the columns of TableLine(), with "\n" after them.
std::string TableHeader();

/// An event as one line of a table for people, in local time, with "\n" after it. Columns have
/// fixed widths; what is longer is cut and ends with "…", but for the last column. Nothing in it
/// controls the terminal. `arguments` lets the program's arguments in, which may hold secrets.
std::string TableLine(const LifecycleEvent& event, bool arguments);

}  // namespace sched_exporter
