#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// The last events, in memory. For any thread; nobody waits longer than pointers take to copy.
class RecentEvents {
 public:
  static constexpr std::size_t kMostEvents = 256;
  /// Names, paths and arguments count; those that events share count for each.
  static constexpr std::size_t kMostBytes = 512U << 10U;

  /// `arguments`: command lines may be told.
  explicit RecentEvents(bool arguments) : arguments_(arguments) {}
  bool arguments() const { return arguments_; }

  /// Takes an event; the oldest make room.
  void Add(LifecycleEvent event);

  /// So many events had no room on their way here.
  void NoteLost(std::uint64_t events);

  struct Some {
    std::vector<std::shared_ptr<const LifecycleEvent>> events;  ///< Newest last.
    std::uint64_t lost = 0;                                     ///< In all.
  };
  /// The last `count`, or as many as there are.
  Some Last(std::size_t count) const;

 private:
  struct Entry {
    std::shared_ptr<const LifecycleEvent> event;
    std::size_t bytes = 0;
  };

  const bool arguments_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  ///< Under mutex_, as the rest.
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace sched_exporter
