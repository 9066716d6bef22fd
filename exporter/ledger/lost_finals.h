#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Finals that came without an event, as sums of absolute figures. What the ledger had counted
/// already for the tasks in them (their debt) must come off again. It is known in time, because a
/// task that is gone is missed by the next sweep, and the sums rest for one.
///
/// A debt comes off the sum with the same cgroup and comm. A task that changed either before its
/// death leaves a debt for which there is no such sum; so much of the other sums is held back as
/// there are debts that nobody has paid. Thus the total is exact, whatever the names.
class LostFinals {
 public:
  /// An addition that is ready to be counted.
  struct Addition {
    std::uint64_t cgroup_id = 0;
    Comm comm{};
    Delta delta;
  };

  /// Finals lost before the seed are the past. Take() the same snapshot after this.
  void Seed(const Snapshot& snapshot);

  /// Takes in a snapshot's sums and its total of finals that were lost.
  void Take(const Snapshot& snapshot);

  /// True while a task that is gone without an event may be in a sum of this sweep or a later one.
  bool Open() const { return delivered_ || Expecting(); }

  /// A task is gone without an event; `counted` is what the ledger had counted of it, the past
  /// before the seed included.
  void AddDebt(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted);

  /// It was not dead. What was taken off for it will be added again.
  void Refund(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted);

  /// What can be counted now. `none_may_return`: every task with a debt is dead, so that debts are
  /// over when no more sums come.
  std::vector<Addition> TakeAdditions(bool none_may_return);

  /// Run time that has neither cgroup nor comm; after TakeAdditions().
  Delta TakeUnattributed();

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(debts_, sums_, unattributed_, unattributed_counted_, unattributed_next_,
            unattributed_next_tasks_, unattributed_seen_, lost_, counted_, past_, last_change_ns_,
            quiet_sweeps_, delivered_);
  }

 private:
  using Key = std::pair<std::uint64_t, Comm>;

  bool Expecting() const { return lost_ > counted_; }
  void TakeUnattributedTotal(const LostSum& total);
  void GiveUpLate(std::uint64_t boottime_ns);
  void PayDebts();

  std::map<Key, Delta> debts_;
  std::map<Key, Delta> sums_;   ///< Not counted yet.
  Delta unattributed_;          ///< Not counted yet.
  Delta unattributed_counted_;  ///< For TakeUnattributed().
  Delta unattributed_next_;     ///< Rests for a sweep, as the sums do.
  std::uint64_t unattributed_next_tasks_ = 0;
  LostSum unattributed_seen_;
  std::uint64_t lost_ = 0;            ///< Finals lost, by the kernel's count.
  std::uint64_t counted_ = 0;         ///< Of these, in a sum or total that was taken in.
  std::uint64_t past_ = 0;            ///< Of these, lost before the seed and still to come.
  std::uint64_t last_change_ns_ = 0;  ///< When something was lost or taken in.
  std::uint32_t quiet_sweeps_ = 0;
  bool delivered_ = false;  ///< In this sweep.
};

}  // namespace sched_exporter
