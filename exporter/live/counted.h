#pragma once

#include <cstdint>

#include "exporter/model/lifecycle.h"
#include "exporter/model/totals.h"

namespace sched_exporter {

/// What a member of a view has counted: a total, or what it added in one step.
struct Counted {
  std::uint64_t cpu_ns = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t switches = 0;
  std::uint64_t timeslices = 0;
  std::uint64_t starts = 0;  ///< Execs that succeeded, and forks; 0 for processes.

  Counted& operator+=(const Counted& other) {
    cpu_ns += other.cpu_ns;
    wait_ns += other.wait_ns;
    switches += other.switches;
    timeslices += other.timeslices;
    starts += other.starts;
    return *this;
  }
  bool operator==(const Counted&) const = default;
};

inline Counted CountedOf(const Totals& totals) {
  return {totals.user_ns + totals.system_ns, totals.wait_ns,
          totals.voluntary_switches + totals.involuntary_switches, totals.timeslices, 0};
}

inline Counted CountedOf(const Totals& totals, const Lifecycle& lifecycle) {
  Counted counted = CountedOf(totals);
  counted.starts = lifecycle.execs + lifecycle.forks;
  return counted;
}

/// `later` less `earlier`. Totals only go back where a series ended and began anew between the two:
/// then all that is in `later` was added since.
inline Counted AddedSince(const Counted& earlier, const Counted& later) {
  const bool is_restart = later.cpu_ns < earlier.cpu_ns || later.wait_ns < earlier.wait_ns ||
                          later.switches < earlier.switches ||
                          later.timeslices < earlier.timeslices || later.starts < earlier.starts;
  return is_restart ? later
                    : Counted{later.cpu_ns - earlier.cpu_ns, later.wait_ns - earlier.wait_ns,
                              later.switches - earlier.switches,
                              later.timeslices - earlier.timeslices, later.starts - earlier.starts};
}

}  // namespace sched_exporter
