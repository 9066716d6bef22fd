#include "exporter/ledger/member_distributions.h"

namespace sched_exporter {

void MemberDistributions::AddOther(const Distributions& addition) {
  other_ += addition;
  has_other_ = true;
}

void MemberDistributions::Settle(const View& view) {
  for (const auto& [id, addition] : pending_) {
    if (view.member(id).shown) {
      members_[id] += addition;
    } else {
      AddOther(addition);
    }
  }
  pending_.clear();
}

const Distributions& MemberDistributions::Of(View::Id id) const {
  static const Distributions kNothing;
  const auto member = members_.find(id);
  return member == members_.end() ? kNothing : member->second;
}

}  // namespace sched_exporter
