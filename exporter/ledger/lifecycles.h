#pragma once

#include <cstdint>
#include <unordered_map>

#include "exporter/ledger/code_series.h"
#include "exporter/ledger/view.h"
#include "exporter/model/lifecycle.h"

namespace sched_exporter {

/// What happened in the lives of the processes of each member of a view. As the view does with CPU
/// time: an addition goes to the member's own series, or to `other` where it has none, once.
class Lifecycles {
 public:
  /// Notes additions; Settle() gives them to series.
  Lifecycle& Pending(View::Id id) { return pending_[id]; }
  Lifecycle& PendingOther() { return pending_other_; }

  /// Gives the additions away, after the view has settled. There are no more than `max_codes`
  /// series by exit code, and as many by errno; more codes are counted as kOtherCode.
  void Settle(const View& view, std::size_t max_codes);

  /// A member was removed from the view.
  void Remove(View::Id id);

  /// Something was counted in the member's own series.
  bool Has(View::Id id) const { return members_.contains(id); }

  /// Of the member's own series.
  const Lifecycle& Of(View::Id id) const;
  const Lifecycle& Other() const { return other_; }

  /// Something was counted in Other().
  bool has_other() const { return has_other_; }

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(members_, pending_, other_, pending_other_, has_other_, codes_);
  }

 private:
  std::unordered_map<View::Id, Lifecycle> members_;
  std::unordered_map<View::Id, Lifecycle> pending_;
  Lifecycle other_;
  Lifecycle pending_other_;
  bool has_other_ = false;
  CodeSeries codes_;
};

}  // namespace sched_exporter
