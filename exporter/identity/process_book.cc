#include "exporter/identity/process_book.h"

namespace sched_exporter {
void ProcessBook::Annotate(TaskEvent& event) {
  const TaskIdentity& identity = event.reading.identity;
  const ProcessKey key = KeyOf(identity);
  exited_.Sweep(event.time_ns, [this](const ProcessKey& process) { entries_.erase(process); });
  switch (event.kind) {
    case TaskEvent::Kind::kExecuted:
      Remember(key, event.image, identity.comm);
      return;
    case TaskEvent::Kind::kExecFailed:
      return;
    case TaskEvent::Kind::kForked:
      Inherit(event);
      return;
    default:
      break;
  }
  const Entry* entry = FindBelieved(key, identity.comm);
  event.image = entry == nullptr ? nullptr : entry->image;
  if (event.kind == TaskEvent::Kind::kExited) {
    NoteExit(key, event.time_ns);
  }
}

ProgramImagePtr ProcessBook::Find(const TaskIdentity& identity) const {
  const auto found = entries_.find(KeyOf(identity));
  return found != entries_.end() && IsBelieved(found->second, identity.comm) ? found->second.image
                                                                             : nullptr;
}

const ProcessBook::Entry* ProcessBook::FindBelieved(const ProcessKey& key, const Comm& comm) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return nullptr;
  }
  if (!IsBelieved(found->second, comm)) {
    entries_.erase(found);
    return nullptr;
  }
  return &found->second;
}

void ProcessBook::Note(const TaskIdentity& identity, const ProgramImagePtr& image) {
  if (image != nullptr) {
    Remember(KeyOf(identity), image, identity.comm);
  }
}

void ProcessBook::Remember(const ProcessKey& key, const ProgramImagePtr& image, const Comm& comm) {
  if (image == nullptr) {
    entries_.erase(key);
    return;
  }
  if (const auto found = entries_.find(key); found != entries_.end()) {
    found->second.image = image;
    found->second.comm = comm;
    found->second.losses = losses_;
  } else if (MakeRoom()) {
    entries_.emplace(key, Entry{image, comm, losses_});
  }
}

void ProcessBook::Inherit(TaskEvent& event) {
  const TaskIdentity& child = event.reading.identity;
  const Entry* parent = FindBelieved(KeyOf(event.origin), event.origin.comm);
  event.image = parent == nullptr ? nullptr : parent->image;
  if (parent == nullptr) {
    return;
  }
  // A parent with another comm than it had has either renamed itself or called an exec whose loss
  // isn't known of yet. The comm of its image tells, if so, that the child's isn't right either.
  const Comm comm = parent->comm == event.origin.comm ? child.comm : parent->comm;
  Remember(KeyOf(child), event.image, comm);
}

void ProcessBook::NoteExit(const ProcessKey& key, std::uint64_t time_ns) {
  const auto found = entries_.find(key);
  if (found != entries_.end() && !found->second.exited) {
    found->second.exited = true;
    exited_.Add(time_ns, key);
  }
}

/// Each exit takes its entry along, so that only processes whose exit got lost stay for ever. When
/// they fill the book, all that is older than the last loss goes: better no image for the living
/// among them than none for all that come.
bool ProcessBook::MakeRoom() {
  if (entries_.size() < most_) {
    return true;
  }
  if (room_made_at_ == losses_) {
    return false;
  }
  room_made_at_ = losses_;
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.losses < losses_; });
  return entries_.size() < most_;
}

}  // namespace sched_exporter
