#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Finals that came without an event, as sums of absolute figures. What the ledger had counted
/// already for the tasks in them (their debt) must come off again. Debts are known one sweep before
/// the sums, because a task that is gone is missed at once, and the sums rest for a sweep.
class LostFinals {
 public:
  /// An addition that is ready to be counted.
  struct Addition {
    std::uint64_t cgroup_id = 0;
    Comm comm{};
    Delta delta;
  };

  /// A task is gone without an event; `counted` is what the ledger had counted of it, the past
  /// before the seed included.
  void AddDebt(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted);

  /// Takes in a snapshot's sums and its total of finals that were lost.
  void Take(const Snapshot& snapshot);

  /// Totals as of the seed are the past.
  void Seed(const Snapshot& snapshot);

  /// True while some final is known to be lost but not yet counted: a task that is gone without an
  /// event may be in it.
  bool Expecting() const { return lost_ > counted_; }

  /// What can be counted now, debts taken off.
  std::vector<Addition> TakeAdditions();

  /// Run time that has neither cgroup nor comm, debts taken off.
  Delta TakeUnattributed();

 private:
  using Key = std::pair<std::uint64_t, Comm>;

  std::map<Key, Delta> debts_;
  std::map<Key, Delta> ready_;
  Delta unattributed_ready_;
  Delta unattributed_next_;  ///< Rests for a sweep, as the sums do.
  std::uint64_t unattributed_next_tasks_ = 0;
  LostSum unattributed_seen_;
  std::uint64_t lost_ = 0;     ///< Finals lost, by the kernel's count.
  std::uint64_t counted_ = 0;  ///< Of these, in a sum that was taken in.
};

}  // namespace sched_exporter
