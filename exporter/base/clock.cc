#include "exporter/base/clock.h"

#include <ctime>
#include <limits>

namespace sched_exporter {
namespace {

std::uint64_t Read(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::uint64_t BoottimeNs() { return Read(CLOCK_BOOTTIME); }

std::uint64_t RealtimeNs() { return Read(CLOCK_REALTIME); }

std::uint64_t BootUnixNs() {
  std::uint64_t best = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = BoottimeNs();
    const std::uint64_t now = RealtimeNs();
    const std::uint64_t between = BoottimeNs() - before;
    if (between < least) {
      least = between;
      best = now - before - between / 2;
    }
  }
  return best;
}

std::uint64_t SteadyBootTime::Steady(std::uint64_t boot_unix_ns) {
  constexpr std::uint64_t kSlowReadingNs = 10'000'000;
  const std::uint64_t moved_ns =
      boot_unix_ns > held_ns_ ? boot_unix_ns - held_ns_ : held_ns_ - boot_unix_ns;
  if (moved_ns > kSlowReadingNs) {
    held_ns_ = boot_unix_ns;
  }
  return held_ns_;
}

}  // namespace sched_exporter
