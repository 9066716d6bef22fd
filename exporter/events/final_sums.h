#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

#include "exporter/model/figures.h"
#include "exporter/model/process_key.h"

namespace sched_exporter {

/// Run and wait time of those tasks of a process that had their last switch.
struct FinalSum {
  std::uint64_t run_ns = 0;
  std::uint64_t wait_ns = 0;

  void Add(const Figures& figures) {
    run_ns += figures.run_ns;
    wait_ns += figures.wait_ns;
  }
};

/// Finals of threads that ended before their process did. Beyond `most` processes the one that has
/// got no final for the longest time goes: one whose exit was lost is never asked for.
class FinalSums {
 public:
  explicit FinalSums(std::size_t most) : most_(most) {}

  void Add(const ProcessKey& key, const Figures& figures);

  /// The sum of a process, which is forgotten here; zeros where none of its tasks ended.
  FinalSum Take(const ProcessKey& key);

  std::size_t size() const { return sums_.size(); }

 private:
  using Entries = std::list<std::pair<ProcessKey, FinalSum>>;

  std::size_t most_;
  Entries entries_;  ///< The one that got a final last is in front.
  std::unordered_map<ProcessKey, Entries::iterator, ProcessKeyHash> sums_;
};

}  // namespace sched_exporter
