#pragma once

#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Where an exporter with this listen address can be asked from here: "http://HOST:PORT", without a
/// path. Fails where the kernel chose its port, or the address is malformed.
Result<std::string> RunningExporterUrl(const std::string& listen_address);

}  // namespace sched_exporter
