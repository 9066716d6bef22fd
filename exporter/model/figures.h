#pragma once

#include <cstdint>

#include "exporter/base/plain.h"

namespace sched_exporter {

/// What the kernel counts for a task. `Kind` keeps figures since birth and additions apart.
template <typename Kind>
struct Counts {
  std::uint64_t run_ns = 0;
  std::uint64_t wait_ns = 0;  ///< On a run queue, but not running.
  std::uint64_t timeslices = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t migrations = 0;
  std::uint64_t user_ns = 0;    ///< Sampled by the tick.
  std::uint64_t system_ns = 0;  ///< Sampled by the tick.

  Counts& operator+=(const Counts& other) {
    run_ns += other.run_ns;
    wait_ns += other.wait_ns;
    timeslices += other.timeslices;
    voluntary_switches += other.voluntary_switches;
    involuntary_switches += other.involuntary_switches;
    migrations += other.migrations;
    user_ns += other.user_ns;
    system_ns += other.system_ns;
    return *this;
  }
};

/// Since a task's birth; every field only grows. Also the sum of that over several tasks.
using Figures = Counts<struct SinceBirth>;

/// What was added between two Figures. Another type, so that totals and additions can't be mixed
/// up.
using Delta = Counts<struct Added>;

template <typename Kind>
inline constexpr bool kIsPlain<Counts<Kind>> = true;

/// True where nothing was added.
inline bool IsZero(const Delta& delta) {
  return (delta.run_ns | delta.wait_ns | delta.timeslices | delta.voluntary_switches |
          delta.involuntary_switches | delta.migrations | delta.user_ns | delta.system_ns) == 0;
}

/// `later` less `earlier`, each field at least 0.
inline Delta Difference(const Figures& later, const Figures& earlier) {
  const auto less = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
  return Delta{less(later.run_ns, earlier.run_ns),
               less(later.wait_ns, earlier.wait_ns),
               less(later.timeslices, earlier.timeslices),
               less(later.voluntary_switches, earlier.voluntary_switches),
               less(later.involuntary_switches, earlier.involuntary_switches),
               less(later.migrations, earlier.migrations),
               less(later.user_ns, earlier.user_ns),
               less(later.system_ns, earlier.system_ns)};
}

/// The larger of the two in each field.
inline Figures Larger(const Figures& a, const Figures& b) {
  const auto max = [](std::uint64_t x, std::uint64_t y) { return x > y ? x : y; };
  return Figures{max(a.run_ns, b.run_ns),
                 max(a.wait_ns, b.wait_ns),
                 max(a.timeslices, b.timeslices),
                 max(a.voluntary_switches, b.voluntary_switches),
                 max(a.involuntary_switches, b.involuntary_switches),
                 max(a.migrations, b.migrations),
                 max(a.user_ns, b.user_ns),
                 max(a.system_ns, b.system_ns)};
}

}  // namespace sched_exporter
