#pragma once

#include <string>

#include "exporter/config/config.h"
#include "exporter/identity/host_paths.h"
#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// What `sched_exporter events` shows.
struct EventsFilter {
  std::string group;       ///< Only of this group; empty: of all.
  std::string cgroup;      ///< Only of this cgroup and those below it; empty: of all.
  bool failed = false;     ///< Only failed execs, exits other than with 0, and OOM kills.
  bool arguments = false;  ///< With command lines, which may hold secrets.

  bool Lets(const LifecycleEvent& event) const;
};

/// Attaches programs of its own and prints a table of what happens until a signal or the end of its
/// reader. Returns the exit code.
int RunEventsCommand(Config config, const HostPaths& paths, const EventsFilter& filter);

}  // namespace sched_exporter
