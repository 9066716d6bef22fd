#pragma once

#include <string>

#include "exporter/config/config.h"
#include "exporter/identity/host_paths.h"

namespace sched_exporter {

/// What is asked for.
struct ProbeRequest {
  std::string format = "text";  ///< "text" or "json".
};

/// `sched_exporter probe`: prints what the running kernel and this process's privileges offer, and
/// what follows from that. Attaches nothing that stays. Returns the exit code: 0 if the exporter
/// can work here.
int RunProbeCommand(const Config& config, const HostPaths& paths, const ProbeRequest& request);

}  // namespace sched_exporter
