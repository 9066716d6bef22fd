#include "exporter/identity/group_book.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace sched_exporter {
namespace {

/// Programs that write their state into their arguments (setproctitle(3)) do so when they start.
constexpr std::uint64_t kSettledAfterNs = 1'000'000'000;

/// A name stands for a lost record at times; all names go when there are so many.
constexpr std::size_t kMostNames = 4'096;

}  // namespace

GroupBook::GroupBook(GroupMatcher& matcher, bool children, std::size_t most)
    : matcher_(matcher), needs_(matcher.needs()), children_(children), most_(most) {}

void GroupBook::Annotate(TaskEvent& event) {
  now_ns_ = std::max(now_ns_, event.time_ns);
  exited_.Sweep(now_ns_, [this](const ProcessKey& process) { Forget(process); });
  const TaskIdentity& identity = event.reading.identity;
  switch (event.kind) {
    case TaskEvent::Kind::kForked:
      Fork(event);
      return;
    case TaskEvent::Kind::kThreadStarted:
      event.group = event.origin_group =
          Meet(identity, event.image, GroupMatcher::Source::kBoth).place->group;
      return;
    case TaskEvent::Kind::kExecuted: {
      Entry* known = Find(KeyOf(identity));
      Entry& entry = known != nullptr ? *known : Add(identity, event.image);
      entry.identity = identity;
      entry.image = event.image;
      entry.losses = losses_;
      Match(entry, GroupMatcher::Source::kBoth);
      event.group = entry.place->group;
      return;
    }
    case TaskEvent::Kind::kMoved:
      Move(event);
      break;
    case TaskEvent::Kind::kExecFailed:
      // Its image is what did not come to run.
      event.group = Meet(identity, nullptr, GroupMatcher::Source::kBoth).place->group;
      return;
    case TaskEvent::Kind::kExited:
      NoteExit(KeyOf(identity));
      break;
    case TaskEvent::Kind::kFinished:
    case TaskEvent::Kind::kOomKilled:
      break;
  }
  event.group = Meet(identity, event.image, GroupMatcher::Source::kEvents).place->group;
}

/// A child is what its parent is, until its exec, where the matcher sees no difference.
void GroupBook::Fork(TaskEvent& event) {
  TaskIdentity caller = event.reading.identity;
  caller.pid = caller.tgid = event.origin.tgid;
  caller.start_ns = caller.leader_start_ns = event.origin.leader_start_ns;
  caller.cgroup_id = event.origin.cgroup_id;
  caller.comm = event.origin.comm;
  caller.ppid = 0;  // the record doesn't tell it
  const Entry* known = Find(KeyOf(caller));
  const Entry parent =
      known != nullptr ? *known : Meet(caller, event.image, GroupMatcher::Source::kBoth);
  event.origin_group = parent.place->group;
  Entry& child = Add(event.reading.identity, event.image);
  child.parent = parent.place;
  const bool same_program = event.image == parent.image || event.image == nullptr;
  if (same_program && !needs_.process && IsAsBefore(parent, child.identity)) {
    child.image = parent.image;
    child.matched = parent.matched;
    Settle(child);
    AskAgainLater(child);
  } else {
    Match(child, GroupMatcher::Source::kBoth);
  }
  event.group = child.place->group;
}

void GroupBook::Move(const TaskEvent& event) {
  const TaskIdentity& identity = event.reading.identity;
  Entry* known = Find(KeyOf(identity));
  if (known == nullptr || identity.pid != identity.tgid) {
    return;
  }
  known->identity.cgroup_id = identity.cgroup_id;
  if (needs_.cgroup) {
    Match(*known, GroupMatcher::Source::kBoth);
  }
}

GroupPtr GroupBook::GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) {
  if (identity.tgid == 0 && !identity.kernel_thread) {
    return GroupOfName(identity);
  }
  return Meet(identity, image, GroupMatcher::Source::kBoth).place->group;
}

GroupPtr GroupBook::GroupOfName(const TaskIdentity& identity) {
  if (const auto known = by_name_.find({identity.cgroup_id, identity.comm});
      known != by_name_.end()) {
    return known->second;
  }
  if (needs_.user || needs_.process) {
    return OtherGroup();  // a rule must not take it for root's
  }
  const GroupPtr matched = matcher_.Match(identity, nullptr, GroupMatcher::Source::kEvents);
  return matched != nullptr ? matched : OtherGroup();
}

GroupBook::Entry* GroupBook::Find(const ProcessKey& process) {
  const auto found = entries_.find(process);
  return found == entries_.end() ? nullptr : &found->second;
}

/// What a task's record shows of its process. Of a thread other than the leader it shows neither
/// the process's cgroup nor its user.
bool GroupBook::IsAsBefore(const Entry& entry, const TaskIdentity& identity) const {
  if (entry.identity.comm != identity.comm) {
    return false;
  }
  return identity.pid != identity.tgid ||
         ((!needs_.cgroup || entry.identity.cgroup_id == identity.cgroup_id) &&
          (!needs_.user || entry.identity.uid == identity.uid));
}

GroupBook::Entry& GroupBook::Meet(const TaskIdentity& identity, const ProgramImagePtr& image,
                                  GroupMatcher::Source source) {
  Entry* known = Find(KeyOf(identity));
  if (known == nullptr) {
    // A late record of one that is gone isn't remembered: nobody would tell its end once more.
    Entry& added =
        source == GroupMatcher::Source::kEvents ? Stray(identity, image) : Add(identity, image);
    FindParent(added);
    Match(added, source);
    return added;
  }
  if (known->parent == nullptr && known->identity.ppid == 0 && identity.ppid != 0) {
    // It was met as the caller of fork, whose record doesn't tell the caller's own parent.
    known->identity.ppid = identity.ppid;
    if (FindParent(*known)) {
      Settle(*known);
    }
  }
  if (IsAsBefore(*known, identity)) {
    return *known;
  }
  if (known->identity.comm != identity.comm && known->losses != losses_) {
    known->image = nullptr;  // perhaps it was an exec that changed the name
  }
  known->identity.comm = identity.comm;
  if (identity.pid == identity.tgid) {
    known->identity.cgroup_id = identity.cgroup_id;
    known->identity.uid = identity.uid;
  }
  Match(*known, source);
  return *known;
}

/// False where nobody knows the parent.
bool GroupBook::FindParent(Entry& entry) {
  const auto parent = by_pid_.find(entry.identity.ppid);
  const Entry* known = parent == by_pid_.end() ? nullptr : Find(parent->second);
  if (known == nullptr) {
    return false;
  }
  entry.parent = known->place;
  return true;
}

GroupBook::Entry& GroupBook::Stray(const TaskIdentity& identity, const ProgramImagePtr& image) {
  stray_ = {};
  stray_.identity = identity;
  stray_.image = image;
  stray_.losses = losses_;
  stray_.place = std::make_shared<Place>();
  return stray_;
}

GroupBook::Entry& GroupBook::Add(const TaskIdentity& identity, const ProgramImagePtr& image) {
  if (entries_.size() >= most_) {
    return Stray(identity, image);
  }
  const ProcessKey key = KeyOf(identity);
  Entry& entry = entries_[key];
  entry = {};
  entry.identity = identity;
  entry.image = image;
  entry.losses = losses_;
  entry.place = std::make_shared<Place>();
  ProcessKey& youngest = by_pid_[key.tgid];
  if (youngest.leader_start_ns <= key.leader_start_ns) {
    youngest = key;
  }
  return entry;
}

void GroupBook::Match(Entry& entry, GroupMatcher::Source source) {
  GroupPtr matched = matcher_.Match(entry.identity, entry.image, source);
  // The same group once more would take memory of its own, where a child shares its parent's.
  const bool is_known =
      matched != nullptr && entry.matched != nullptr && *matched == *entry.matched;
  if (!is_known) {
    entry.matched = std::move(matched);
  }
  Settle(entry);
  if (source == GroupMatcher::Source::kBoth) {
    AskAgainLater(entry);
  }
}

void GroupBook::AskAgainLater(const Entry& entry) {
  if (needs_.arguments && !entry.identity.kernel_thread) {
    young_.emplace_back(now_ns_, KeyOf(entry.identity));
  }
}

/// The entry's group is what it matches, or else what its parent is in.
void GroupBook::Settle(Entry& entry) {
  GroupPtr group = OtherGroup();
  if (entry.matched != nullptr) {
    group = entry.matched;
  } else if (children_ && entry.parent != nullptr) {
    group = entry.parent->group;
  }
  entry.place->group = group;
  if (by_name_.size() >= kMostNames) {
    by_name_.clear();
  }
  by_name_[{entry.identity.cgroup_id, entry.identity.comm}] = entry.place->group;
}

bool GroupBook::HasChanged(Entry& entry) {
  const GroupPtr before = entry.place->group;
  Match(entry, entry.has_exited ? GroupMatcher::Source::kEvents : GroupMatcher::Source::kLiving);
  return *before != *entry.place->group;
}

std::vector<ProcessKey> GroupBook::MatchSettled(std::uint64_t now_ns) {
  std::vector<ProcessKey> changed;
  now_ns_ = std::max(now_ns_, now_ns);
  while (!young_.empty() && now_ns >= young_.front().first + kSettledAfterNs) {
    const ProcessKey key = young_.front().second;
    young_.pop_front();
    Entry* entry = Find(key);
    if (entry != nullptr && !entry->has_exited && HasChanged(*entry)) {
      changed.push_back(key);
    }
  }
  return changed;
}

std::vector<std::reference_wrapper<GroupBook::Entry>> GroupBook::OldestFirst() {
  std::vector<std::reference_wrapper<Entry>> entries;
  entries.reserve(entries_.size());
  for (auto& [key, entry] : entries_) {
    entries.emplace_back(entry);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.identity.leader_start_ns < b.identity.leader_start_ns;
  });
  return entries;
}

void GroupBook::MatchAgain(bool children) {
  children_ = children;
  needs_ = matcher_.needs();
  by_name_.clear();
  for (Entry& entry : OldestFirst()) {
    HasChanged(entry);
  }
}

std::vector<ProcessKey> GroupBook::MatchAgainIn(
    const std::function<bool(std::uint64_t cgroup_id)>& changed) {
  std::unordered_map<std::uint64_t, bool> answers;
  const auto is_changed = [&](std::uint64_t cgroup_id) {
    const auto [answer, is_new] = answers.try_emplace(cgroup_id);
    if (is_new) {
      answer->second = changed(cgroup_id);
    }
    return answer->second;
  };
  std::erase_if(by_name_, [&](const auto& known) { return is_changed(known.first.first); });
  std::vector<ProcessKey> moved;
  for (Entry& entry : OldestFirst()) {
    if (is_changed(entry.identity.cgroup_id) && HasChanged(entry)) {
      moved.push_back(KeyOf(entry.identity));
    }
  }
  return moved;
}

void GroupBook::Forget(const ProcessKey& process) {
  if (const auto youngest = by_pid_.find(process.tgid);
      youngest != by_pid_.end() && youngest->second == process) {
    by_pid_.erase(youngest);
  }
  entries_.erase(process);
}

void GroupBook::NoteExit(const ProcessKey& process) {
  if (Entry* entry = Find(process)) {
    entry->has_exited = true;
    exited_.Add(now_ns_, process);
  }
}

}  // namespace sched_exporter
