#pragma once

#include <cstdint>
#include <string>

namespace sched_exporter {

/// The name of an errno, e.g. "ENOENT"; "errno 531" where the C library has none.
std::string ErrnoName(std::uint32_t error);

/// The name of a signal, e.g. "SIGKILL", "SIGRTMIN+3"; "signal 77" where there is none.
std::string SignalName(std::uint32_t signal);

}  // namespace sched_exporter
