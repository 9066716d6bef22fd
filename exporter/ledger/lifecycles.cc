#include "exporter/ledger/lifecycles.h"

#include <map>

namespace sched_exporter {
namespace {

bool IsEmpty(const Lifecycle& lifecycle) {
  return (lifecycle.execs | lifecycle.forks | lifecycle.thread_starts | lifecycle.oom_kills) == 0 &&
         lifecycle.exits.empty() && lifecycle.exec_failures.empty();
}

}  // namespace

void Lifecycles::Settle(const View& view, std::size_t max_codes) {
  for (const auto& [id, addition] : pending_) {
    if (view.member(id).shown) {
      codes_.AddTo(members_[id], addition, max_codes);
    } else {
      pending_other_ += addition;
    }
  }
  pending_.clear();
  has_other_ = has_other_ || !IsEmpty(pending_other_);
  codes_.AddTo(other_, pending_other_, max_codes);
  pending_other_ = {};
}

void Lifecycles::Remove(View::Id id) {
  const auto member = members_.find(id);
  if (member == members_.end()) {
    return;
  }
  codes_.Release(member->second);
  members_.erase(member);
}

const Lifecycle& Lifecycles::Of(View::Id id) const {
  static const Lifecycle kNothing;
  const auto member = members_.find(id);
  return member == members_.end() ? kNothing : member->second;
}

}  // namespace sched_exporter
