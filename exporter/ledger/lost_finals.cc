#include "exporter/ledger/lost_finals.h"

#include <algorithm>

namespace sched_exporter {
namespace {

/// A final that the kernel counted as lost and that no sum had for so long won't come: a sum can't
/// rest longer than two sweeps, unless sweeps are rare.
constexpr std::uint64_t kNothingComesAfterNs = 600'000'000'000;

/// Bounds the memory while finals are lost without a pause.
constexpr std::size_t kMaxDebts = 16'384;

constexpr std::uint64_t Delta::*kFields[] = {&Delta::run_ns,     &Delta::wait_ns,
                                             &Delta::timeslices, &Delta::voluntary_switches,
                                             &Delta::migrations, &Delta::involuntary_switches,
                                             &Delta::user_ns,    &Delta::system_ns};

/// Takes as much of `debt` off `from` as there is; what is left stays in `debt`.
void TakeOff(Delta& from, Delta& debt) {
  for (const auto field : kFields) {
    const std::uint64_t part = std::min(from.*field, debt.*field);
    from.*field -= part;
    debt.*field -= part;
  }
}

/// Returns what `from` has beyond `held`, and leaves the rest, by which `held` shrinks.
Delta TakeBeyond(Delta& from, Delta& held) {
  Delta beyond = from;
  TakeOff(beyond, held);
  for (const auto field : kFields) {
    from.*field -= beyond.*field;
  }
  return beyond;
}

}  // namespace

void LostFinals::AddDebt(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted) {
  debts_[{cgroup_id, comm}] += Difference(counted, Figures{});
  quiet_sweeps_ = 0;
}

void LostFinals::Refund(std::uint64_t cgroup_id, const Comm& comm, const Figures& counted) {
  Delta refund = Difference(counted, Figures{});
  if (const auto debt = debts_.find({cgroup_id, comm}); debt != debts_.end()) {
    TakeOff(debt->second, refund);
  }
  sums_[{cgroup_id, comm}] += refund;  // that much was taken off the sums of others
}

void LostFinals::Seed(const Snapshot& snapshot) {
  unattributed_seen_ = snapshot.unattributed;
  lost_ = snapshot.lost_finals;
  counted_ = std::min(snapshot.unattributed.tasks, lost_);
  past_ = lost_ - counted_;
  last_change_ns_ = snapshot.boottime_ns;
}

void LostFinals::Take(const Snapshot& snapshot) {
  delivered_ = !snapshot.lost_sums.empty();
  if (delivered_ || snapshot.lost_finals > lost_) {
    last_change_ns_ = snapshot.boottime_ns;
  }
  lost_ = std::max(lost_, snapshot.lost_finals);
  for (const LostSum& sum : snapshot.lost_sums) {
    counted_ += sum.tasks;
    if (past_ > 0) {
      past_ -= std::min(past_, sum.tasks);
      continue;
    }
    sums_[{sum.cgroup_id, sum.comm}] += Difference(sum.figures, Figures{});
  }
  TakeUnattributedTotal(snapshot.unattributed);
  GiveUpLate(snapshot.boottime_ns);
  quiet_sweeps_ = Open() ? 0 : quiet_sweeps_ + 1;
}

void LostFinals::TakeUnattributedTotal(const LostSum& total) {
  delivered_ = delivered_ || unattributed_next_tasks_ > 0;
  unattributed_ += unattributed_next_;
  counted_ += unattributed_next_tasks_;
  unattributed_next_ = Difference(total.figures, unattributed_seen_.figures);
  unattributed_next_tasks_ = total.tasks - std::min(total.tasks, unattributed_seen_.tasks);
  unattributed_seen_ = total;
}

/// A sum that the reader lost must not keep this open for ever.
void LostFinals::GiveUpLate(std::uint64_t boottime_ns) {
  if (Expecting() && boottime_ns - last_change_ns_ > kNothingComesAfterNs) {
    counted_ = lost_;
    past_ = 0;
  }
}

/// Where cgroup and comm agree.
void LostFinals::PayDebts() {
  for (auto& [key, sum] : sums_) {
    if (const auto debt = debts_.find(key); debt != debts_.end()) {
      TakeOff(sum, debt->second);
    }
  }
  std::erase_if(debts_, [](const auto& entry) { return IsZero(entry.second); });
}

std::vector<LostFinals::Addition> LostFinals::TakeAdditions(bool none_may_return) {
  PayDebts();
  Delta held;
  for (const auto& [key, debt] : debts_) {
    held += debt;
  }
  // First off what has no name, so that names are held back as little as possible.
  unattributed_counted_ = TakeBeyond(unattributed_, held);
  std::vector<Addition> additions;
  for (auto& [key, sum] : sums_) {
    const Delta delta = TakeBeyond(sum, held);
    if (!IsZero(delta)) {
      additions.push_back({key.first, key.second, delta});
    }
  }
  // A task that the last sweep still met may be known as lost only by this one: two sweeps.
  const bool over = none_may_return && quiet_sweeps_ >= 2;
  if (over || debts_.size() > kMaxDebts) {
    debts_.clear();
    sums_.clear();
    unattributed_ = {};
  }
  std::erase_if(sums_, [](const auto& entry) { return IsZero(entry.second); });
  return additions;
}

Delta LostFinals::TakeUnattributed() { return std::exchange(unattributed_counted_, Delta{}); }

}  // namespace sched_exporter
