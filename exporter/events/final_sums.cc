#include "exporter/events/final_sums.h"

namespace sched_exporter {

void FinalSums::Add(const ProcessKey& key, const Figures& figures) {
  if (const auto found = sums_.find(key); found != sums_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    entries_.emplace_front(key, FinalSum{});
    sums_.emplace(key, entries_.begin());
  }
  entries_.front().second.Add(figures);
  if (sums_.size() > most_) {
    sums_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

FinalSum FinalSums::Take(const ProcessKey& key) {
  const auto found = sums_.find(key);
  if (found == sums_.end()) {
    return {};
  }
  const FinalSum sum = found->second->second;
  entries_.erase(found->second);
  sums_.erase(found);
  return sum;
}

}  // namespace sched_exporter
