#pragma once

#include <cstdint>

#include "exporter/model/figures.h"

namespace sched_exporter {

/// CPU time in its two modes.
struct SplitTime {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};

/// Splits exact run time as the ticks saw it, in the way of the kernel's cputime_adjust()
/// (kernel/sched/cputime.c): by the ratio of all samples so far, without either part going back.
class TimeSplit {
 public:
  /// The parts of `delta.run_ns`; they add up to it.
  SplitTime Add(const Delta& delta);

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(run_ns_, sampled_user_ns_, sampled_system_ns_, user_ns_);
  }

 private:
  std::uint64_t run_ns_ = 0;
  std::uint64_t sampled_user_ns_ = 0;
  std::uint64_t sampled_system_ns_ = 0;
  std::uint64_t user_ns_ = 0;
};

}  // namespace sched_exporter
