#pragma once

#include <cstdint>

namespace sched_exporter {

/// CLOCK_BOOTTIME in nanoseconds: the clock of the kernel's task start times.
std::uint64_t BoottimeNs();

/// CLOCK_REALTIME in nanoseconds since 1970.
std::uint64_t RealtimeNs();

}  // namespace sched_exporter
