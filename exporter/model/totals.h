#pragma once

#include <cstdint>

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
};

}  // namespace sched_exporter
