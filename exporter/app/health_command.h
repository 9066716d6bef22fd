#pragma once

#include <string>

namespace sched_exporter {

/// `sched_exporter health`: asks `url`, or where that is empty /healthz of the exporter that runs
/// here with this listen address, and prints one line. Returns the exit code: 0 if it is healthy.
int RunHealthCommand(const std::string& url, const std::string& listen_address);

}  // namespace sched_exporter
