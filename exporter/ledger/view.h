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
    bool resumed = false;   ///< The series goes on after it was folded.
    /// When the totals were 0: at the Settle() before the one that gave it a series. 0: it has had
    /// none.
    std::uint64_t since_ns = 0;
  };

  /// How long a shown member that nobody holds keeps its series.
  struct Keep {
    std::uint64_t dead_ns = 0;
    bool until_told = false;  ///< And until its last figures were told: NoteTold().
  };

  /// Whether a member may have a series of its own.
  enum class Standing {
    kOrdinary,  ///< While the limit lets it.
    kAlways,    ///< Even if nobody holds it and nothing was added.
    kNever,     ///< It is in `other`.
  };

  View(std::uint32_t limit, Keep keep) : limit_(limit), keep_(keep) {}

  void set_limits(std::uint32_t limit, Keep keep) {
    limit_ = limit;
    keep_ = keep;
  }

  /// A new member; its id is valid until Settle() says that it was removed.
  Id Add();

  void set_standing(Id id, Standing standing) { slots_[id].standing = standing; }

  /// Notes an addition; Settle() gives it to a series.
  void Credit(Id id, const Delta& delta);

  /// An addition that belongs to nobody with an id.
  void CreditOther(const Delta& delta) { other_pending_ += delta; }

  /// Forgets all populations and holds, before they are counted anew.
  void ClearPopulations();
  Population& population(Id id) { return slots_[id].member.population; }

  /// Somebody keeps this id: the next Settle() doesn't remove it.
  void Hold(Id id) { slots_[id].held = true; }
  bool IsHeld(Id id) const { return slots_[id].held; }

  /// Decides who has a series, gives the additions away, and removes members that are gone.
  /// `now_ns` is any clock that doesn't go back. Appends the removed ids.
  void Settle(std::uint64_t now_ns, std::vector<Id>& removed);

  /// Somebody has read the totals of all series.
  void NoteTold();

  const Member& member(Id id) const { return slots_[id].member; }
  /// It has, or had, a series with figures; also of ids that Settle() has just removed.
  bool HasTotals(Id id) const { return slots_[id].has_totals; }

  /// Its series is over and another sum has what it counted: one that comes back begins at 0.
  void ForgetTotals(Id id);
  OtherRow Other() const;

  /// Everything that is remembered but the limits; base/archive.h. After Settle() alone.
  template <typename Archive>
  void serialize(Archive& archive) {
    ArchivePlain(archive, slots_);
    archive(free_, other_totals_, other_split_, other_pending_, other_present_, first_ns_,
            last_ns_);
  }

 private:
  struct Slot {
    using Plain = void;
    Member member;
    TimeSplit split;
    Delta pending;
    std::uint64_t rank_ns = 0;       ///< Run time of all its life: the smallest is folded.
    std::uint64_t last_seen_ns = 0;  ///< When it last had a task or an addition.
    Standing standing = Standing::kOrdinary;
    bool used = false;
    bool touched = false;
    bool told = true;  ///< Nothing was added since the last NoteTold().
    bool has_totals = false;
    bool held = false;
    bool wanted = false;
  };

  std::vector<Id> Candidates(std::uint64_t now_ns);
  bool IsKept(const Slot& slot, std::uint64_t now_ns) const;
  bool ComesBefore(Id a, Id b) const;
  void ChooseShown(std::vector<Id> candidates, std::uint64_t zero_ns);
  void GiveAway(Slot& slot);

  std::uint32_t limit_;
  Keep keep_;
  std::vector<Slot> slots_;
  std::vector<Id> free_;
  std::vector<Id> touched_;
  Totals other_totals_;
  TimeSplit other_split_;
  Delta other_pending_;
  bool other_present_ = false;
  std::uint64_t first_ns_ = 0;  ///< Of the first Settle(); 0: there was none.
  std::uint64_t last_ns_ = 0;   ///< Of the last one.
};

}  // namespace sched_exporter
