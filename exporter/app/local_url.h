#pragma once

#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Where an exporter on this host that was started with --web.listen-address=`listen_address` can
/// be asked for `path`; 127.0.0.1 or [::1] where that is any address. Fails where the kernel chose
/// its port.
Result<std::string> LocalUrl(const std::string& listen_address, const std::string& path);

}  // namespace sched_exporter
