#pragma once

#include "exporter/base/result.h"

namespace sched_exporter {

/// From now on what libbpf says is kept for LoadError(), and what it said before is forgotten.
void BeginLibbpfLog();

/// Why an object could not be loaded, in one line that says what to do; `error` is an errno.
tl::unexpected<Error> LoadError(int error);

/// The same of attaching.
tl::unexpected<Error> AttachError(int error);

}  // namespace sched_exporter
