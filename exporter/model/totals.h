#pragma once

#include <cstdint>

#include "exporter/base/plain.h"

namespace sched_exporter {

/// What a series has counted since it began. Every field only grows. user_ns + system_ns is the
/// exact CPU time.
struct Totals {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t timeslices = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t migrations = 0;

  Totals operator+(const Totals& other) const {
    return {user_ns + other.user_ns,
            system_ns + other.system_ns,
            wait_ns + other.wait_ns,
            timeslices + other.timeslices,
            voluntary_switches + other.voluntary_switches,
            involuntary_switches + other.involuntary_switches,
            migrations + other.migrations};
  }
};

template <>
inline constexpr bool kIsPlain<Totals> = true;

}  // namespace sched_exporter
