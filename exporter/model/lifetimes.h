#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "exporter/base/plain.h"

namespace sched_exporter {

/// Upper bounds of the buckets of process lifetimes, each included in its bucket. One more bucket
/// takes what is longer.
inline constexpr std::array<std::uint64_t, 15> kLifetimeBoundsNs{
    1'000'000,       5'000'000,         10'000'000,        50'000'000,         100'000'000,
    500'000'000,     1'000'000'000,     5'000'000'000,     10'000'000'000,     60'000'000'000,
    300'000'000'000, 1'800'000'000'000, 3'600'000'000'000, 21'600'000'000'000, 86'400'000'000'000,
};

/// How long processes lived, from fork to exit.
struct Lifetimes {
  std::array<std::uint64_t, kLifetimeBoundsNs.size() + 1> buckets{};  ///< Not cumulative.
  std::uint64_t sum_ns = 0;

  static std::size_t BucketOf(std::uint64_t lifetime_ns) {
    const auto* bound =
        std::lower_bound(kLifetimeBoundsNs.begin(), kLifetimeBoundsNs.end(), lifetime_ns);
    return static_cast<std::size_t>(bound - kLifetimeBoundsNs.begin());
  }

  void Add(std::uint64_t lifetime_ns) {
    ++buckets[BucketOf(lifetime_ns)];
    sum_ns += lifetime_ns;
  }

  Lifetimes& operator+=(const Lifetimes& other) {
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      buckets[i] += other.buckets[i];
    }
    sum_ns += other.sum_ns;
    return *this;
  }
};

template <>
inline constexpr bool kIsPlain<Lifetimes> = true;

}  // namespace sched_exporter
