#include "exporter/live/member_book.h"

#include <algorithm>

namespace sched_exporter {

std::optional<Counted> MemberBook::Next(const std::string& key, const Counted& counted,
                                        bool resumed) {
  const auto [entry, added] = members_.try_emplace(key);
  Member& member = entry->second;
  const Counted before = member.counted;
  member.counted = counted;
  member.met_step = step_;
  if (added && resumed) {
    return std::nullopt;
  }
  return AddedSince(before, counted);
}

void MemberBook::Want(const std::vector<std::string>& keys) {
  std::vector<Member*> untracked;
  for (const std::string& key : keys) {
    const auto found = members_.find(key);
    if (found == members_.end()) {
      continue;
    }
    found->second.wanted_step = step_;
    if (found->second.track == 0) {
      untracked.push_back(&found->second);
    }
  }
  MakeRoom(untracked.size());
  for (Member* const member : untracked) {
    if (tracked_ < most_tracked_) {
      member->track = ++last_track_;
      ++tracked_;
    }
  }
}

/// Those go that were not wanted for longest.
void MemberBook::MakeRoom(std::size_t places) {
  if (tracked_ + places <= most_tracked_) {
    return;
  }
  std::vector<Member*> unwanted;
  for (auto& [key, member] : members_) {
    if (member.track != 0 && member.wanted_step != step_) {
      unwanted.push_back(&member);
    }
  }
  std::sort(unwanted.begin(), unwanted.end(), [](const Member* a, const Member* b) {
    return a->wanted_step != b->wanted_step ? a->wanted_step < b->wanted_step : a->track < b->track;
  });
  const std::size_t surplus = tracked_ + places - most_tracked_;
  for (std::size_t i = 0; i < std::min(surplus, unwanted.size()); ++i) {
    unwanted[i]->track = 0;
    --tracked_;
  }
}

std::uint32_t MemberBook::TrackOf(const std::string& key) const {
  const auto found = members_.find(key);
  return found == members_.end() ? 0 : found->second.track;
}

void MemberBook::EndStep() {
  std::erase_if(members_, [this](const auto& entry) {
    const bool is_gone = entry.second.met_step != step_;
    tracked_ -= is_gone && entry.second.track != 0 ? 1 : 0;
    return is_gone;
  });
  ++step_;
}

}  // namespace sched_exporter
