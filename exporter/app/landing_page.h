#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exporter/http/server.h"

namespace sched_exporter {

/// Which parts of the live page have figures behind them.
struct LiveParts {
  bool top = false;     ///< Without it "/" is a plain page of links.
  bool events = false;  ///< Recent execs and exits.
};

/// Adds "/" and the files under /assets/ that it needs. `telemetry_path` is where "/" links to;
/// `parts` is asked at each request, on any thread.
void AddLandingRoutes(const std::string& telemetry_path, std::function<LiveParts()> parts,
                      std::vector<HttpRoute>& routes);

}  // namespace sched_exporter
