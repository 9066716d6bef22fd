#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/ledger/lifecycles.h"
#include "exporter/ledger/member_distributions.h"
#include "exporter/ledger/view.h"
#include "exporter/model/group.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// A view whose members have names: groups or cgroups. A member is what has the same name and the
/// same constant labels, whatever its ids elsewhere.
class NamedView {
 public:
  /// Whether a name may have series of its own.
  using Filter = std::function<bool(const std::string&)>;

  NamedView(std::uint32_t limit, std::uint64_t keep_dead_ns, Filter filter)
      : view_(limit, {keep_dead_ns, true}), filter_(std::move(filter)) {}

  void set_limits(std::uint32_t limit, std::uint64_t keep_dead_ns) {
    view_.set_limits(limit, {keep_dead_ns, true});
  }

  /// The member's id, valid until the Settle() that finds it unused.
  View::Id Find(const Group& group);
  View::Id Find(const std::string& name) { return Find(*MakeGroup(name)); }

  /// From now on these have series, and no others have them always.
  void SetAlways(const std::vector<GroupPtr>& groups);

  /// The filter's answers may be others than before.
  void FilterAgain();

  void Credit(View::Id id, const Delta& delta) { view_.Credit(id, delta); }
  /// What is to be added to the member's lifecycle. It counts as seen in this sweep.
  Lifecycle& Addition(View::Id id);
  /// The same for what belongs to nobody.
  Lifecycle& OtherAddition() { return lifecycles_.PendingOther(); }

  /// Timeslices that ended in the member, or in nobody's. It counts as seen in this sweep.
  void AddDistributions(View::Id id, const Distributions& addition);
  void AddOtherDistributions(const Distributions& addition) { distributions_.AddOther(addition); }

  void ClearPopulations() { view_.ClearPopulations(); }
  Population& population(View::Id id) { return view_.population(id); }
  void Hold(View::Id id) { view_.Hold(id); }
  /// Holds those with series that nobody holds and that `lives` says yes of.
  void HoldIf(const std::function<bool(const std::string& name)>& lives);

  /// As View's; `removed` gets the last totals of those that had series and lose them.
  void Settle(std::uint64_t now_ns, std::size_t max_codes, std::vector<NamedRow>& removed);

  /// What those had counted that have no series any more, folded or not wanted. Whoever takes it
  /// keeps it: a series that comes back begins at 0. To be called before rows are read, so that a
  /// series which only went between two readings goes on.
  std::vector<NamedRow> TakeFolded();

  /// Somebody has read the rows.
  void NoteTold() { view_.NoteTold(); }

  /// True while the id is valid.
  bool Has(View::Id id) const { return groups_.contains(id); }
  const std::string& NameOf(View::Id id) const { return groups_.at(id).name; }
  std::vector<NamedRow> Rows() const;
  OtherRow Other() const;

  /// Everything that is remembered but the limits; base/archive.h. After Settle() alone.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(view_, lifecycles_, distributions_, ids_, groups_, always_);
  }

 private:
  View::Standing StandingOf(const Group& group) const;
  NamedRow RowOf(View::Id id, const Group& group) const;
  bool HasCounted(View::Id id) const;

  View view_;
  Filter filter_;
  Lifecycles lifecycles_;
  MemberDistributions distributions_;
  std::unordered_map<std::string, View::Id> ids_;
  std::unordered_map<View::Id, Group> groups_;
  std::vector<View::Id> always_;
};

}  // namespace sched_exporter
