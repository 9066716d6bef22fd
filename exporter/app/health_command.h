#pragma once

#include <string>

#include "exporter/app/web_client.h"

namespace sched_exporter {

/// Whom to ask.
struct HealthRequest {
  std::string url;  ///< Empty: /healthz of the exporter that runs here.
  WebClientFlags web;
};

/// `sched_exporter health`: asks, and prints one line. Returns the exit code: 0 if it is healthy.
int RunHealthCommand(const HealthRequest& request, const RunningHere& here);

}  // namespace sched_exporter
