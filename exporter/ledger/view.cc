#include "exporter/ledger/view.h"

#include <algorithm>

namespace sched_exporter {
namespace {

void AddTo(Totals& totals, const SplitTime& time, const Delta& delta) {
  totals.user_ns += time.user_ns;
  totals.system_ns += time.system_ns;
  totals.wait_ns += delta.wait_ns;
  totals.timeslices += delta.timeslices;
  totals.voluntary_switches += delta.voluntary_switches;
  totals.involuntary_switches += delta.involuntary_switches;
  totals.migrations += delta.migrations;
}

}  // namespace

View::Id View::Add() {
  Id id = 0;
  if (free_.empty()) {
    id = static_cast<Id>(slots_.size());
    slots_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
    slots_[id] = Slot{};
  }
  slots_[id].used = true;
  return id;
}

void View::Credit(Id id, const Delta& delta) {
  Slot& slot = slots_[id];
  slot.pending += delta;
  if (!slot.touched) {
    slot.touched = true;
    touched_.push_back(id);
  }
}

void View::ClearPopulations() {
  for (Slot& slot : slots_) {
    slot.member.population = {};
    slot.held = false;
  }
}

bool View::IsKept(const Slot& slot, std::uint64_t now_ns) const {
  if (keep_.dead_ns == 0 && !keep_.until_told) {
    return false;
  }
  return (slot.touched || slot.member.shown) &&
         (now_ns - slot.last_seen_ns < keep_.dead_ns || (keep_.until_told && !slot.told));
}

std::vector<View::Id> View::Candidates(std::uint64_t now_ns) {
  std::vector<Id> candidates;
  for (Id id = 0; id < slots_.size(); ++id) {
    Slot& slot = slots_[id];
    if (!slot.used) {
      continue;
    }
    if (slot.held || slot.touched) {
      slot.last_seen_ns = now_ns;
      slot.told = slot.told && !slot.touched;
    }
    slot.wanted = slot.held || slot.standing == Standing::kAlways || IsKept(slot, now_ns);
    if (!slot.wanted) {
      continue;
    }
    if (slot.standing == Standing::kNever) {
      slot.member.shown = false;
      other_present_ = true;
    } else {
      candidates.push_back(id);
    }
  }
  return candidates;
}

/// Equal ones keep their series, so that idle members don't come and go.
bool View::ComesBefore(Id a, Id b) const {
  const Slot& x = slots_[a];
  const Slot& y = slots_[b];
  const bool x_always = x.standing == Standing::kAlways;
  if (x_always != (y.standing == Standing::kAlways)) {
    return x_always;
  }
  if (x.rank_ns != y.rank_ns) {
    return x.rank_ns > y.rank_ns;
  }
  if (x.member.shown != y.member.shown) {
    return x.member.shown;
  }
  return a < b;
}

void View::ChooseShown(std::vector<Id> candidates) {
  if (candidates.size() > limit_) {
    std::nth_element(candidates.begin(), candidates.begin() + limit_, candidates.end(),
                     [this](Id a, Id b) { return ComesBefore(a, b); });
    for (auto id = candidates.begin() + limit_; id != candidates.end(); ++id) {
      slots_[*id].member.shown = false;
    }
    candidates.resize(limit_);
    other_present_ = true;
  }
  for (const Id id : candidates) {
    Slot& slot = slots_[id];
    if (!slot.member.shown) {
      slot.member.resumed = slot.has_totals;
    }
    slot.member.shown = true;
  }
}

void View::NoteTold() {
  for (Slot& slot : slots_) {
    slot.told = true;
  }
}

void View::ForgetTotals(Id id) {
  slots_[id].member.totals = {};
  slots_[id].split = {};
  slots_[id].has_totals = false;
}

void View::GiveAway(Slot& slot) {
  if (slot.member.shown) {
    AddTo(slot.member.totals, slot.split.Add(slot.pending), slot.pending);
    slot.has_totals = true;
  } else {
    other_pending_ += slot.pending;
  }
  slot.pending = {};
  slot.touched = false;
}

void View::Settle(std::uint64_t now_ns, std::vector<Id>& removed) {
  for (const Id id : touched_) {
    slots_[id].rank_ns += slots_[id].pending.run_ns;
  }
  std::vector<Id> candidates = Candidates(now_ns);
  for (Slot& slot : slots_) {
    slot.member.shown = slot.member.shown && slot.wanted;
  }
  ChooseShown(std::move(candidates));
  for (const Id id : touched_) {
    GiveAway(slots_[id]);
  }
  touched_.clear();
  const SplitTime time = other_split_.Add(other_pending_);
  AddTo(other_totals_, time, other_pending_);
  other_present_ = other_present_ || other_pending_.timeslices > 0 || other_pending_.run_ns > 0;
  other_pending_ = {};
  for (Id id = 0; id < slots_.size(); ++id) {
    Slot& slot = slots_[id];
    if (slot.used && !slot.wanted) {
      slot.used = false;
      free_.push_back(id);
      removed.push_back(id);
    }
  }
}

OtherRow View::Other() const {
  OtherRow other;
  other.present = other_present_;
  other.totals = other_totals_;
  for (const Slot& slot : slots_) {
    if (!slot.used || slot.member.shown) {
      continue;
    }
    const Population& population = slot.member.population;
    ++other.folded;
    other.population.threads += population.threads;
    other.population.processes += population.processes;
    if (population.oldest_start_ns != 0 &&
        (other.population.oldest_start_ns == 0 ||
         population.oldest_start_ns < other.population.oldest_start_ns)) {
      other.population.oldest_start_ns = population.oldest_start_ns;
    }
  }
  return other;
}

}  // namespace sched_exporter
