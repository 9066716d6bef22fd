#include "exporter/ledger/label_floors.h"

#include <algorithm>
#include <vector>

namespace sched_exporter {

void LabelFloors::Leave(std::uint32_t pid, const Comm& comm, const Said& last,
                        std::uint64_t now_ns) {
  floors_[{pid, comm}] = {last, now_ns};
}

LabelFloors::Said LabelFloors::Offset(std::uint32_t pid, const Comm& comm,
                                      const Totals& totals) const {
  const auto found = floors_.find({pid, comm});
  if (found == floors_.end()) {
    return {};
  }
  const auto& [floor, since_ns] = found->second.last;
  const auto above = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
  return {{above(floor.user_ns, totals.user_ns), above(floor.system_ns, totals.system_ns),
           above(floor.wait_ns, totals.wait_ns), above(floor.timeslices, totals.timeslices),
           above(floor.voluntary_switches, totals.voluntary_switches),
           above(floor.involuntary_switches, totals.involuntary_switches),
           above(floor.migrations, totals.migrations)},
          since_ns};
}

void LabelFloors::Prune(std::uint64_t now_ns, std::uint64_t keep_ns, std::size_t limit) {
  std::erase_if(floors_,
                [&](const auto& entry) { return now_ns - entry.second.left_ns > keep_ns; });
  if (floors_.size() <= limit) {
    return;
  }
  std::vector<std::uint64_t> left;
  left.reserve(floors_.size());
  for (const auto& [labels, floor] : floors_) {
    left.push_back(floor.left_ns);
  }
  const auto last_to_go = left.begin() + static_cast<std::ptrdiff_t>(left.size() - limit - 1);
  std::nth_element(left.begin(), last_to_go, left.end());
  std::erase_if(floors_, [&](const auto& entry) {
    return entry.second.left_ns <= *last_to_go && entry.second.left_ns < now_ns;
  });
}

}  // namespace sched_exporter
