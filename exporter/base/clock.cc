#include "exporter/base/clock.h"

#include <ctime>

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

}  // namespace sched_exporter
