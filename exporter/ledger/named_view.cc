#include "exporter/ledger/named_view.h"

#include <algorithm>
#include <tuple>

namespace sched_exporter {
namespace {

/// Different groups have different keys: names and labels are printable and hold no NUL.
std::string KeyOf(const Group& group) {
  std::string key = group.is_other ? std::string(1, '\0') : group.name;
  for (const auto& [name, value] : group.labels) {
    key.append(1, '\0').append(name).append(1, '\0').append(value);
  }
  return key;
}

}  // namespace

View::Id NamedView::Find(const Group& group) {
  const auto [entry, added] = ids_.try_emplace(KeyOf(group));
  if (added) {
    const View::Id id = view_.Add();
    entry->second = id;
    view_.set_standing(id, StandingOf(group));
    groups_.emplace(id, group);
  }
  return entry->second;
}

View::Standing NamedView::StandingOf(const Group& group) const {
  const bool own = !group.is_other && filter_(group.name);
  return own ? View::Standing::kOrdinary : View::Standing::kNever;
}

void NamedView::SetAlways(const std::vector<GroupPtr>& groups) {
  for (const View::Id id : always_) {
    view_.set_standing(id, StandingOf(groups_.at(id)));
  }
  always_.clear();
  for (const GroupPtr& group : groups) {
    const View::Id id = Find(*group);
    if (StandingOf(*group) != View::Standing::kNever) {
      view_.set_standing(id, View::Standing::kAlways);
      always_.push_back(id);
    }
  }
}

void NamedView::FilterAgain() {
  for (const auto& [id, group] : groups_) {
    const bool is_always = std::find(always_.begin(), always_.end(), id) != always_.end();
    if (!is_always) {
      view_.set_standing(id, StandingOf(group));
    }
  }
}

Lifecycle& NamedView::Addition(View::Id id) {
  view_.Credit(id, Delta{});
  return lifecycles_.Pending(id);
}

void NamedView::AddDistributions(View::Id id, const Distributions& addition) {
  view_.Credit(id, Delta{});
  distributions_.Add(id, addition);
}

/// Its series has, or had, figures.
bool NamedView::HasCounted(View::Id id) const {
  return view_.HasTotals(id) || lifecycles_.Has(id) || distributions_.Has(id);
}

void NamedView::HoldIf(const std::function<bool(const std::string& name)>& lives) {
  for (const auto& [id, group] : groups_) {
    if (view_.member(id).shown && !view_.IsHeld(id) && lives(group.name)) {
      view_.Hold(id);
    }
  }
}

void NamedView::Settle(std::uint64_t now_ns, std::size_t max_codes,
                       std::vector<NamedRow>& removed) {
  std::vector<View::Id> removed_ids;
  view_.Settle(now_ns, removed_ids);
  lifecycles_.Settle(view_, max_codes);
  distributions_.Settle(view_);
  for (const View::Id id : removed_ids) {
    const auto group = groups_.find(id);
    if (HasCounted(id)) {
      removed.push_back(RowOf(id, group->second));
    }
    lifecycles_.Remove(id);
    distributions_.Remove(id);
    ids_.erase(KeyOf(group->second));
    groups_.erase(group);
  }
}

std::vector<NamedRow> NamedView::TakeFolded() {
  std::vector<NamedRow> folded;
  for (const auto& [id, group] : groups_) {
    if (!view_.member(id).shown && HasCounted(id)) {
      folded.push_back(RowOf(id, group));
      view_.ForgetTotals(id);
      lifecycles_.Remove(id);
      distributions_.Remove(id);
    }
  }
  return folded;
}

NamedRow NamedView::RowOf(View::Id id, const Group& group) const {
  const View::Member& member = view_.member(id);
  return {group.name,         group.labels,          member.population, member.totals,
          lifecycles_.Of(id), distributions_.Of(id), member.since_ns,   member.resumed};
}

std::vector<NamedRow> NamedView::Rows() const {
  using Entry = std::pair<const View::Id, Group>;
  // Rows are large: they are made in their order, not brought into it.
  std::vector<const Entry*> shown;
  for (const Entry& entry : groups_) {
    if (view_.member(entry.first).shown) {
      shown.push_back(&entry);
    }
  }
  std::sort(shown.begin(), shown.end(), [](const Entry* a, const Entry* b) {
    return std::tie(a->second.name, a->second.labels) < std::tie(b->second.name, b->second.labels);
  });
  std::vector<NamedRow> rows;
  rows.reserve(shown.size());
  for (const Entry* entry : shown) {
    rows.push_back(RowOf(entry->first, entry->second));
  }
  return rows;
}

OtherRow NamedView::Other() const {
  OtherRow other = view_.Other();
  other.lifecycle = lifecycles_.Other();
  other.distributions = distributions_.Other();
  other.present = other.present || lifecycles_.has_other() || distributions_.has_other();
  return other;
}

}  // namespace sched_exporter
