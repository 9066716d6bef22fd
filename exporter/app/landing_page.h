#pragma once

#include <string>
#include <vector>

#include "exporter/http/server.h"

namespace sched_exporter {

/// Which parts of the live page have figures behind them.
struct LiveParts {
  bool top = false;     ///< /api/v1/top is served. Without it "/" is a plain page of links.
  bool events = false;  ///< /api/v1/events is served.
};

/// "/" and the files under /assets/ that it needs. `telemetry_path` is where "/" links to.
std::vector<HttpRoute> LandingRoutes(const std::string& telemetry_path, LiveParts parts);

}  // namespace sched_exporter
