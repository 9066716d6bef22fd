#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "exporter/model/distributions.h"

namespace sched_exporter {

/// Lengths of time of one step, by size: the buckets of Durations.
using LiveDurations = std::array<std::uint32_t, kDurationBounds + 1>;

/// How the tasks of a cgroup ran in one step: of each timeslice that ended, its length and the wait
/// before it.
struct LiveDistributions {
  LiveDurations runqueue_latency{};
  LiveDurations timeslice{};
};

/// What was added in a step, in less memory. A step has fewer timeslices than would not fit.
LiveDistributions LiveDistributionsOf(const Distributions& added);

/// The first bucket up to which at least this share lies, above 0 and at most 1; none where there
/// is nothing. kDurationBounds: it is longer than all bounds.
std::optional<std::size_t> QuantileBucket(const LiveDurations& durations, double share);

}  // namespace sched_exporter
