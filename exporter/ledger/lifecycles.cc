#include "exporter/ledger/lifecycles.h"

#include <map>

namespace sched_exporter {
namespace {

using Codes = std::map<std::uint32_t, std::uint64_t>;

/// `series` counts those that `to` and its like have; none is added beyond `max`, but the one for
/// all other codes.
void AddCodes(Codes& to, const Codes& addition, std::size_t& series, std::size_t max) {
  for (const auto& [code, count] : addition) {
    const bool room = to.contains(code) || series < max;
    const auto [entry, added] = to.try_emplace(room ? code : kOtherCode);
    series += added ? 1 : 0;
    entry->second += count;
  }
}

bool IsEmpty(const Lifecycle& lifecycle) {
  return (lifecycle.execs | lifecycle.forks | lifecycle.thread_starts | lifecycle.oom_kills) == 0 &&
         lifecycle.exits.empty() && lifecycle.exec_failures.empty();
}

}  // namespace

void Lifecycles::AddTo(Lifecycle& to, const Lifecycle& addition, std::size_t max_codes) {
  to.execs += addition.execs;
  to.forks += addition.forks;
  to.thread_starts += addition.thread_starts;
  to.oom_kills += addition.oom_kills;
  AddCodes(to.exits, addition.exits, exit_series_, max_codes);
  AddCodes(to.exec_failures, addition.exec_failures, failure_series_, max_codes);
  to.lifetimes += addition.lifetimes;
}

void Lifecycles::Settle(const View& view, std::size_t max_codes) {
  for (const auto& [id, addition] : pending_) {
    if (view.member(id).shown) {
      AddTo(members_[id], addition, max_codes);
    } else {
      pending_other_ += addition;
    }
  }
  pending_.clear();
  has_other_ = has_other_ || !IsEmpty(pending_other_);
  AddTo(other_, pending_other_, max_codes);
  pending_other_ = {};
}

void Lifecycles::Remove(View::Id id) {
  const auto member = members_.find(id);
  if (member == members_.end()) {
    return;
  }
  exit_series_ -= member->second.exits.size();
  failure_series_ -= member->second.exec_failures.size();
  members_.erase(member);
}

const Lifecycle& Lifecycles::Of(View::Id id) const {
  static const Lifecycle kNothing;
  const auto member = members_.find(id);
  return member == members_.end() ? kNothing : member->second;
}

}  // namespace sched_exporter
