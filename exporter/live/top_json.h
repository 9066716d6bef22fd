#pragma once

#include <string>

#include "exporter/live/live_view.h"
#include "exporter/live/top_query.h"

namespace sched_exporter {

/// The answer of /api/v1/top (docs/api.md): valid JSON whatever bytes are in names.
std::string TopJson(const LiveView& view, const TopQuery& query);

/// {"error": "..."}.
std::string ErrorJson(const std::string& line);

}  // namespace sched_exporter
