#pragma once

#include <cstdint>
#include <vector>

#include "exporter/ledger/time_split.h"
#include "exporter/model/figures.h"
#include "exporter/model/report.h"
#include "exporter/model/totals.h"

namespace sched_exporter {

/// The members of one view (processes, groups or cgroups) with their totals. No more than `limit`
/// members have series of their own; what is added to another one goes to `other`. Each addition is
/// in exactly one series, so that series and `other` together never lose nor repeat a nanosecond,
/// and none goes backwards.
class View {
 public:
  using Id = std::uint32_t;

  struct Member {
    Totals totals;          ///< Of its own series.
    Population population;  ///< Counted anew at each sweep.
    bool shown = false;     ///< Has a series of its own.
  };

  /// `keep_dead_ns`: how long a shown member without tasks keeps its series.
  View(std::uint32_t limit, std::uint64_t keep_dead_ns)
      : limit_(limit), keep_dead_ns_(keep_dead_ns) {}

  void set_limits(std::uint32_t limit, std::uint64_t keep_dead_ns) {
    limit_ = limit;
    keep_dead_ns_ = keep_dead_ns;
  }

  /// A new member; its id is valid until Settle() says that it was removed.
  Id Add();

  /// Notes an addition; Settle() gives it to a series.
  void Credit(Id id, const Delta& delta);

  /// An addition that belongs to nobody with an id.
  void CreditOther(const Delta& delta) { other_pending_ += delta; }

  /// Forgets all populations and holds, before they are counted anew.
  void ClearPopulations();
  Population& population(Id id) { return slots_[id].member.population; }

  /// Somebody keeps this id: the next Settle() doesn't remove it.
  void Hold(Id id) { slots_[id].held = true; }

  /// Decides who has a series, gives the additions away, and removes members that are gone.
  /// `now_ns` is any clock that doesn't go back. Appends the removed ids.
  void Settle(std::uint64_t now_ns, std::vector<Id>& removed);

  const Member& member(Id id) const { return slots_[id].member; }
  OtherRow Other() const;

 private:
  struct Slot {
    Member member;
    TimeSplit split;
    Delta pending;
    std::uint64_t rank_ns = 0;       ///< Run time of all its life: the smallest is folded.
    std::uint64_t last_seen_ns = 0;  ///< When it last had a task or an addition.
    bool used = false;
    bool touched = false;
    bool held = false;
    bool wanted = false;
  };

  std::vector<Id> Candidates(std::uint64_t now_ns);
  void ChooseShown(std::vector<Id> candidates);
  void GiveAway(Slot& slot);

  std::uint32_t limit_;
  std::uint64_t keep_dead_ns_;
  std::vector<Slot> slots_;
  std::vector<Id> free_;
  std::vector<Id> touched_;
  Totals other_totals_;
  TimeSplit other_split_;
  Delta other_pending_;
  bool other_present_ = false;
};

}  // namespace sched_exporter
