#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "exporter/base/plain.h"

namespace sched_exporter {

/// Bounded buckets of a distribution: powers of two from 1 microsecond to 16.8 seconds.
inline constexpr std::size_t kDurationBounds = 25;

/// How many lengths of time there were of each size. Every field only grows.
struct Durations {
  /// Not cumulative; the last one takes what is longer than all bounds.
  std::array<std::uint64_t, kDurationBounds + 1> buckets{};
  std::uint64_t sum_ns = 0;

  /// Upper bound of one of the first kDurationBounds buckets, included in it.
  static constexpr std::uint64_t BoundNs(std::size_t bucket) { return 1000ULL << bucket; }

  std::uint64_t Count() const {
    return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
  }

  Durations& operator+=(const Durations& other) {
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] += other.buckets[i];
    }
    sum_ns += other.sum_ns;
    return *this;
  }

  bool operator==(const Durations&) const = default;
};

/// How tasks ran: of each timeslice that has ended, its length and the wait before it.
struct Distributions {
  Durations runqueue_latency = {};  ///< From runnable to running, on all run queues it was on.
  Durations timeslice = {};         ///< From the switch to the task to the switch away from it.

  Distributions& operator+=(const Distributions& other) {
    runqueue_latency += other.runqueue_latency;
    timeslice += other.timeslice;
    return *this;
  }

  bool operator==(const Distributions&) const = default;
};

template <>
inline constexpr bool kIsPlain<Distributions> = true;

}  // namespace sched_exporter
