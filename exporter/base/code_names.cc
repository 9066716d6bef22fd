#include "exporter/base/code_names.h"

#include <csignal>
#include <cstring>

namespace sched_exporter {

std::string ErrnoName(std::uint32_t error) {
  // For 0 the C library has the name "0".
  const char* name = error == 0 ? nullptr : ::strerrorname_np(static_cast<int>(error));
  return name == nullptr ? "errno " + std::to_string(error) : std::string(name);
}

std::string SignalName(std::uint32_t signal) {
  const auto first_real_time = static_cast<std::uint32_t>(SIGRTMIN);
  const auto last_real_time = static_cast<std::uint32_t>(SIGRTMAX);
  if (signal >= first_real_time && signal <= last_real_time) {
    const std::uint32_t above = signal - first_real_time;
    return above == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(above);
  }
  const char* name = ::sigabbrev_np(static_cast<int>(signal));
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace sched_exporter
