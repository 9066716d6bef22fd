#pragma once

#include <cstddef>
#include <string>

#include "exporter/app/web_client.h"

namespace sched_exporter {

/// What to count, and how much to show of it.
struct TopSeriesRequest {
  std::string source;      ///< A file, a URL, "-"; empty: the exporter that runs here.
  std::size_t count = 10;  ///< Families; of each label's values half as many.
  WebClientFlags web;      ///< For a URL, or the exporter that runs here.
};

/// `sched_exporter top-series`: prints which families, and which values of each label, make most
/// series of a scrape. Returns the exit code.
int RunTopSeriesCommand(const TopSeriesRequest& request, const RunningHere& here,
                        const std::string& telemetry_path);

}  // namespace sched_exporter
