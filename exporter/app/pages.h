#pragma once

#include <string>
#include <vector>

#include "exporter/app/collector.h"
#include "exporter/http/server.h"

namespace sched_exporter {

/// The pages of the exporter: metrics, the landing page, health and readiness. `collector` is not
/// owned and outlives the server.
std::vector<HttpRoute> MakeRoutes(const std::string& telemetry_path, Collector& collector);

}  // namespace sched_exporter
