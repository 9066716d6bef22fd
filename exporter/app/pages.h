#pragma once

#include <vector>

#include "exporter/app/collector.h"
#include "exporter/app/options.h"
#include "exporter/app/reloader.h"
#include "exporter/http/server.h"

namespace sched_exporter {

/// The pages of the exporter: metrics, the landing page, health, readiness and, where the options
/// ask for it, reload. `collector` and `reloader` are not owned and outlive the server.
std::vector<HttpRoute> MakeRoutes(const Options& options, Collector& collector, Reloader& reloader);

}  // namespace sched_exporter
