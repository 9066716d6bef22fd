#pragma once

#include <vector>

#include "exporter/app/live_board.h"
#include "exporter/http/server.h"

namespace sched_exporter {

inline constexpr char kTopPath[] = "/api/v1/top";
inline constexpr char kEventsPath[] = "/api/v1/events";

/// Adds /api/v1/top and /api/v1/events (docs/api.md), which answer with JSON. What the config has
/// switched off answers 404. `board` is not owned and outlives the server.
void AddLiveRoutes(const LiveBoard& board, std::vector<HttpRoute>& routes);

}  // namespace sched_exporter
