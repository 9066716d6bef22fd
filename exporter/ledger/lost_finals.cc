#include "exporter/ledger/lost_finals.h"

#include <algorithm>

namespace sched_exporter {
namespace {

/// Takes as much of `debt` off `from` as there is; what is left stays in `debt`.
void TakeOff(Delta& from, Delta& debt) {
  const auto take = [](std::uint64_t& a, std::uint64_t& b) {
    const std::uint64_t part = std::min(a, b);
    a -= part;
    b -= part;
  };
  take(from.run_ns, debt.run_ns);
  take(from.wait_ns, debt.wait_ns);
  take(from.timeslices, debt.timeslices);
  take(from.voluntary_switches, debt.voluntary_switches);
  take(from.involuntary_switches, debt.involuntary_switches);
  take(from.migrations, debt.migrations);
  take(from.user_ns, debt.user_ns);
  take(from.system_ns, debt.system_ns);
}

}  // namespace

void LostFinals::AddDebt(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted) {
  debts_[{cgroup_id, comm}] += Difference(counted, Figures{});
}

void LostFinals::Seed(const Snapshot& snapshot) {
  unattributed_seen_ = snapshot.unattributed;
  lost_ = counted_ = snapshot.lost_finals;
}

void LostFinals::Take(const Snapshot& snapshot) {
  lost_ = std::max(lost_, snapshot.lost_finals);
  for (const LostSum& sum : snapshot.lost_sums) {
    ready_[{sum.cgroup_id, sum.comm}] += Difference(sum.figures, Figures{});
    counted_ += sum.tasks;
  }
  unattributed_ready_ += unattributed_next_;
  counted_ += unattributed_next_tasks_;
  unattributed_next_ = Difference(snapshot.unattributed.figures, unattributed_seen_.figures);
  unattributed_next_tasks_ = snapshot.unattributed.tasks - unattributed_seen_.tasks;
  unattributed_seen_ = snapshot.unattributed;
}

std::vector<LostFinals::Addition> LostFinals::TakeAdditions() {
  for (auto& [key, delta] : ready_) {
    if (const auto debt = debts_.find(key); debt != debts_.end()) {
      TakeOff(delta, debt->second);
    }
  }
  Delta general_debt;
  for (auto& [key, debt] : debts_) {
    TakeOff(unattributed_ready_, debt);
    general_debt += debt;
  }
  if (Expecting()) {
    general_debt = {};  // a sum under the right key is still to come
  } else {
    debts_.clear();  // these tasks died under another name or in another cgroup than the last known
  }
  std::vector<Addition> additions;
  for (auto& [key, delta] : ready_) {
    TakeOff(delta, general_debt);
    additions.push_back({key.first, key.second, delta});
  }
  ready_.clear();
  return additions;
}

Delta LostFinals::TakeUnattributed() { return std::exchange(unattributed_ready_, Delta{}); }

}  // namespace sched_exporter
