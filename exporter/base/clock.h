#pragma once

#include <cstdint>

namespace sched_exporter {

inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

/// CLOCK_BOOTTIME in nanoseconds: the clock of the kernel's task start times.
std::uint64_t BoottimeNs();

/// CLOCK_REALTIME in nanoseconds since 1970.
std::uint64_t RealtimeNs();

/// CLOCK_REALTIME less CLOCK_BOOTTIME: turns start times into Unix time. Right to the microsecond,
/// also where the caller loses its CPU between the two clocks.
std::uint64_t BootUnixNs();

/// Holds what BootUnixNs() reads still: moments that are told again and again must not waver with
/// each reading. The difference of the two clocks changes only when somebody sets the clock.
class SteadyBootTime {
 public:
  /// The first reading, until one differs by more than any that was merely slow.
  std::uint64_t Steady(std::uint64_t boot_unix_ns);

 private:
  std::uint64_t held_ns_ = 0;
};

}  // namespace sched_exporter
