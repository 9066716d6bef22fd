#include "exporter/live/distribution_book.h"

#include <utility>

namespace sched_exporter {
namespace {

bool WentBack(const Durations& earlier, const Durations& later) {
  for (std::size_t i = 0; i < later.buckets.size(); ++i) {
    if (later.buckets[i] < earlier.buckets[i]) {
      return true;
    }
  }
  return later.sum_ns < earlier.sum_ns;
}

Durations Less(Durations later, const Durations& earlier) {
  for (std::size_t i = 0; i < later.buckets.size(); ++i) {
    later.buckets[i] -= earlier.buckets[i];
  }
  later.sum_ns -= earlier.sum_ns;
  return later;
}

}  // namespace

Distributions AddedSince(const Distributions& earlier, const Distributions& later) {
  const bool is_restart = WentBack(earlier.runqueue_latency, later.runqueue_latency) ||
                          WentBack(earlier.timeslice, later.timeslice);
  return is_restart ? later
                    : Distributions{Less(later.runqueue_latency, earlier.runqueue_latency),
                                    Less(later.timeslice, earlier.timeslice)};
}

Distributions DistributionBook::Next(const std::string& path, const Distributions& total) {
  Cgroup& cgroup = cgroups_[path];
  cgroup.met_step = step_;
  return AddedSince(std::exchange(cgroup.total, total), total);
}

void DistributionBook::EndStep() {
  std::erase_if(cgroups_, [this](const auto& entry) { return entry.second.met_step != step_; });
  ++step_;
}

}  // namespace sched_exporter
