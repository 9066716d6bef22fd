#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "exporter/base/plain.h"
#include "exporter/base/result.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/kernel/programs.h"
#include "exporter/kernel/task_walk.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// How a sweep reads the LRU hash.
enum class Walk { kAuto, kBatch, kNextKey };

/// Sees each event, in order, when it is read; may add to it what it knows.
using EventTap = std::function<void(TaskEvent& event)>;

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

/// Reads what the programs of either mode record. One thread at a time.
class KernelSource {
 public:
  virtual ~KernelSource() = default;

  /// Fills `snapshot` (its buffers are used again). On error the snapshot is of no use, but nothing
  /// is lost: the next sweep has it all.
  virtual Result<void> Sweep(Snapshot& snapshot) = 0;

  /// Takes events out of their buffer before it is full; the next sweep delivers them.
  virtual void Drain() = 0;

  /// What the sweeps until now have read is kept elsewhere: the kernel may forget it. Until then
  /// another source, which Load() has told what was kept, would read it again. Without persistence
  /// the kernel forgets at once.
  virtual void Release() {}

  /// How far this has read, for a source of the same programs (base/archive.h). To be called after
  /// a sweep and before Release().
  virtual void Save(SavingArchive& /*archive*/) {}

  /// Goes on where another source was; before the first sweep. False where the kernel keeps less
  /// than it has to for that: what another one released since Save() is lost.
  virtual bool Load(LoadingArchive& /*archive*/) { return false; }

  /// So much was read and is not released that the buffer will soon be full.
  virtual bool must_release() const { return false; }

  /// Events that were taken out and wait for the next sweep.
  virtual std::size_t pending_events() const = 0;

  /// So many wait that Drain() takes no more: they stay in their buffer, and when that is full in
  /// the sums and counts behind it. Happens only where sweeps fail again and again.
  virtual bool is_full() const = 0;

  /// Becomes readable when the event buffer is half full.
  virtual int wakeup_fd() const = 0;

  virtual void set_walk(Walk walk) = 0;
  virtual const SourceStats& stats() const = 0;

  /// Cgroups that were made since the last call.
  virtual std::vector<NewCgroup> TakeNewCgroups() = 0;

  /// Forks, execs, exits and OOM kills that had no room in the event buffer until now.
  virtual std::uint64_t CountLostLifecycle() const = 0;

  /// As they hold.
  virtual const ProgramOptions& options() const = 0;
  virtual std::vector<ProgramStats> ReadProgramStats() const = 0;
};

}  // namespace sched_exporter
