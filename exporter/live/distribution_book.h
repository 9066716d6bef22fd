#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "exporter/model/distributions.h"

namespace sched_exporter {

/// `later` less `earlier`, which are totals. Those only go back where a series ended and began anew
/// between the two: then all that is in `later` was added since.
Distributions AddedSince(const Distributions& earlier, const Distributions& later);

/// The distributions of cgroups from step to step. Not for several threads at once.
class DistributionBook {
 public:
  /// What a cgroup added since the last step, where it has `total` now; all of it where it was not
  /// met in that step. Call it once a step for each.
  Distributions Next(const std::string& path, const Distributions& total);

  /// The step is over: who was not met in it is gone.
  void EndStep();

  std::size_t size() const { return cgroups_.size(); }

 private:
  struct Cgroup {
    Distributions total;
    std::uint32_t met_step = 0;
  };

  std::unordered_map<std::string, Cgroup> cgroups_;
  std::uint32_t step_ = 1;
};

}  // namespace sched_exporter
