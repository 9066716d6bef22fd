#include "exporter/live/live_distributions.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sched_exporter {
namespace {

constexpr std::uint64_t kMostOfBucket = std::numeric_limits<std::uint32_t>::max();

LiveDurations LiveDurationsOf(const Durations& added) {
  LiveDurations durations{};
  std::transform(added.buckets.begin(), added.buckets.end(), durations.begin(),
                 [](std::uint64_t count) {
                   return static_cast<std::uint32_t>(std::min(count, kMostOfBucket));
                 });
  return durations;
}

}  // namespace

LiveDistributions LiveDistributionsOf(const Distributions& added) {
  return {LiveDurationsOf(added.runqueue_latency), LiveDurationsOf(added.timeslice)};
}

std::optional<std::size_t> QuantileBucket(const LiveDurations& durations, double share) {
  const std::uint64_t all = std::accumulate(durations.begin(), durations.end(), std::uint64_t{0});
  if (all == 0) {
    return std::nullopt;
  }
  std::uint64_t met = 0;
  std::size_t bucket = 0;
  for (; bucket < kDurationBounds; ++bucket) {
    met += durations[bucket];
    if (static_cast<double>(met) >= share * static_cast<double>(all)) {
      break;
    }
  }
  return bucket;
}

}  // namespace sched_exporter
