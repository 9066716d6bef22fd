#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/kernel/decode_event.h"
#include "exporter/kernel/distribution_reader.h"
#include "exporter/kernel/event_buffer.h"
#include "exporter/kernel/lost_counts.h"
#include "exporter/kernel/programs.h"
#include "exporter/kernel/task_iterator.h"
#include "exporter/kernel/task_walk.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// How a sweep reads the LRU hash.
enum class Walk { kAuto, kBatch, kNextKey };

/// What the reader itself did; totals since it was made, except where noted.
struct SourceStats {
  TaskWalkStats last_walk;  ///< Of the last sweep.
  std::uint64_t torn = 0;   ///< Entries left out of all walks.
  std::uint64_t incomplete_walks = 0;
  std::uint64_t lost_finals = 0;     ///< Finals that the event buffer had no room for.
  std::uint64_t lost_moves = 0;      ///< Moves that it had no room for.
  std::uint64_t lost_lifecycle = 0;  ///< What else happened that it had no room for.
  std::uint64_t counts_full = 0;     ///< Of these, what the counts had no room for, either.
  std::uint64_t sums_full = 0;       ///< Finals that the sums had no room for.
  std::uint64_t sums_entries = 0;    ///< When they were last read.
  std::uint64_t counts_entries = 0;  ///< When they were last read.
  std::uint64_t lost_paths = 0;      ///< Names of new cgroups that their map had no room for.
  std::uint64_t distributions_entries = 0;      ///< Places that cgroups have on all CPUs.
  std::uint64_t distributions_max_entries = 0;  ///< Places that there are.
  std::uint64_t distributions_full = 0;         ///< Times that a cgroup found no place.
  std::uint64_t insert_failures = 0;            ///< Entries that the LRU hash did not take.
  std::uint64_t events_bytes = 0;  ///< Most in the event buffer between the last two sweeps.
};

/// Reads what the programs record. One thread at a time.
class Source {
 public:
  /// Sees each event, in order, when it is read; may add to it what it knows.
  using Tap = std::function<void(TaskEvent& event)>;

  static Result<std::unique_ptr<Source>> Open(Programs& programs, Walk walk, Tap tap = {});
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Fills `snapshot` (its buffers are used again). On error the snapshot is of no use, but nothing
  /// is lost: the next sweep has it all.
  Result<void> Sweep(Snapshot& snapshot);

  /// Takes events out of their buffer before it is full; the next sweep delivers them.
  void Drain();

  /// Events that were taken out and wait for the next sweep.
  std::size_t pending_events() const { return events_.size(); }

  /// So many wait that Drain() takes no more: they stay in their buffer, and when that is full in
  /// the sums and counts behind it. Happens only where sweeps fail again and again.
  bool is_full() const { return events_.size() >= kMaxEvents; }

  /// Becomes readable when the event buffer is half full.
  int wakeup_fd() const;

  void set_walk(Walk walk) { walk_ = walk; }
  const SourceStats& stats() const { return stats_; }

 private:
  Source(Programs& programs, Walk walk, Tap tap);
  void TakeEvent(const void* record, std::size_t bytes);
  Result<void> WalkTasks(std::vector<TaskReading>& readings);
  void TakeSumsAndCounts(Snapshot& snapshot);
  void TakeSums(int fd, std::vector<LostSum>& sums);
  void ReadCpus(Snapshot& snapshot);

  static constexpr std::size_t kMaxEvents = 262'144;

  Programs& programs_;
  Walk walk_;
  TaskWalk tasks_;
  TaskIterator iterator_;
  Tap tap_;
  EventDecoder decoder_;
  std::unique_ptr<EventBuffer> buffer_;
  std::unique_ptr<DistributionReader> distributions_;
  LostCounts counts_;
  std::vector<TaskEvent> events_;
  std::uint64_t most_bytes_ = 0;  ///< Drained at once since the last sweep.
  std::uint32_t sweep_ = 0;
  std::chrono::steady_clock::time_point sums_switched_{};
  bool batch_unsupported_ = false;
  SourceStats stats_;
};

}  // namespace sched_exporter
