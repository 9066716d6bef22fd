#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sched_exporter {

/// Upper bounds of the buckets of run-queue latency, each included in its bucket: 1 us, 2 us, 4 us,
/// to 2^24 us, which is 16.8 s. One more bucket takes what is longer.
inline constexpr std::size_t kLatencyBounds = 25;

constexpr std::uint64_t LatencyBoundNs(std::size_t bucket) { return std::uint64_t{1000} << bucket; }

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
