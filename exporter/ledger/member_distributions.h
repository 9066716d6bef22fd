#pragma once

#include <unordered_map>

#include "exporter/ledger/view.h"
#include "exporter/model/distributions.h"

namespace sched_exporter {

/// The distributions of each member of a view. As the view does with CPU time: an addition goes to
/// the member's own series, or to `other` where it has none, once.
class MemberDistributions {
 public:
  /// Notes additions; Settle() gives them to series.
  void Add(View::Id id, const Distributions& addition) { pending_[id] += addition; }
  void AddOther(const Distributions& addition);

  /// Gives the additions away, after the view has settled.
  void Settle(const View& view);

  /// A member was removed from the view.
  void Remove(View::Id id) { members_.erase(id); }

  /// Something was counted in the member's own series.
  bool Has(View::Id id) const { return members_.contains(id); }

  /// Of the member's own series.
  const Distributions& Of(View::Id id) const;
  const Distributions& Other() const { return other_; }

  /// Something was counted in Other().
  bool has_other() const { return has_other_; }

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(members_, pending_, other_, has_other_);
  }

 private:
  std::unordered_map<View::Id, Distributions> members_;
  std::unordered_map<View::Id, Distributions> pending_;
  Distributions other_;
  bool has_other_ = false;
};

}  // namespace sched_exporter
