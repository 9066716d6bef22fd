#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exporter/model/distributions.h"

namespace sched_exporter {

/// The buckets of run-queue latency are those of the histograms.
inline constexpr std::size_t kLatencyBounds = kDurationBounds;

constexpr std::uint64_t LatencyBoundNs(std::size_t bucket) { return Durations::BoundNs(bucket); }

/// Timeslices by how long their task had waited for them.
using LatencyColumn = std::array<std::uint64_t, kLatencyBounds + 1>;

/// The bucket of a wait.
constexpr std::size_t LatencyBucketOf(std::uint64_t wait_ns) {
  std::size_t bucket = 0;
  while (bucket < kLatencyBounds && wait_ns > LatencyBoundNs(bucket)) {
    ++bucket;
  }
  return bucket;
}

/// Adds what a process did in one step. Its waits are not known one by one: all of its timeslices
/// go to the bucket of their mean wait.
constexpr void AddMeanWait(std::uint64_t wait_ns, std::uint64_t timeslices, LatencyColumn& column) {
  if (timeslices > 0) {
    column[LatencyBucketOf(wait_ns / timeslices)] += timeslices;
  }
}

}  // namespace sched_exporter
