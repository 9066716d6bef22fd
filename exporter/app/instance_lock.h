#pragma once

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {

/// Keeps a second exporter from running beside this one, which would double the cost for the same
/// figures: an abstract Unix socket (unix(7)), which the kernel takes away with the process. Held
/// while the result lives. Fails with one line that names the other's pid.
Result<UniqueFd> TakeInstanceLock();

}  // namespace sched_exporter
