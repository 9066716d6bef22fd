#include "exporter/live/recent_events.h"

#include <algorithm>
#include <utility>

namespace sched_exporter {
namespace {

std::size_t BytesOf(const LifecycleEvent& event) {
  std::size_t bytes = sizeof(event) + event.comm.size() + event.group.size() + event.cgroup.size();
  for (const auto& [label, value] : event.cgroup_labels) {
    constexpr std::size_t kNode = 4 * sizeof(void*);
    bytes += kNode + 2 * sizeof(std::string) + label.size() + value.size();
  }
  if (event.image != nullptr) {
    bytes += sizeof(*event.image) + event.image->file.size() + event.image->arguments.size();
  }
  return bytes;
}

}  // namespace

void RecentEvents::Add(LifecycleEvent event) {
  const std::size_t bytes = BytesOf(event);
  Entry entry{std::make_shared<const LifecycleEvent>(std::move(event)), bytes};
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.push_back(std::move(entry));
  bytes_ += bytes;
  while (entries_.size() > kMostEvents || bytes_ > kMostBytes) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

void RecentEvents::NoteLost(std::uint64_t events) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lost_ += events;
}

RecentEvents::Some RecentEvents::Last(std::size_t count) const {
  Some some;
  const std::lock_guard<std::mutex> lock(mutex_);
  some.lost = lost_;
  const std::size_t taken = std::min(count, entries_.size());
  some.events.reserve(taken);
  for (std::size_t i = entries_.size() - taken; i < entries_.size(); ++i) {
    some.events.push_back(entries_[i].event);
  }
  return some;
}

}  // namespace sched_exporter
