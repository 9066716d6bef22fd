#pragma once

#include <string>

#include "exporter/config/config.h"
#include "exporter/identity/host_paths.h"

namespace sched_exporter {

/// `sched_exporter explain PID`: prints in which group and in which series a living process is, and
/// why. Loads no programs, and asks no running exporter. Returns the exit code.
int RunExplainCommand(const Config& config, const HostPaths& paths, const std::string& pid);

}  // namespace sched_exporter
