#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "exporter/base/plain.h"
#include "exporter/model/distributions.h"
#include "exporter/model/figures.h"
#include "exporter/model/group.h"
#include "exporter/model/lifecycle.h"
#include "exporter/model/program_image.h"

namespace sched_exporter {

/// Names a living task without doubt (the address of its task_struct). Used again after its death;
/// the start time then is a later one.
using TaskKey = std::uint64_t;

/// A task's name as the kernel keeps it: any bytes, ended by NUL or by the end of the array.
using Comm = std::array<char, 16>;

/// Who a task is. Times are CLOCK_BOOTTIME.
struct TaskIdentity {
  std::uint64_t start_ns = 0;
  std::uint64_t leader_start_ns = 0;  ///< With `tgid` it names the process.
  std::uint64_t cgroup_id = 0;
  std::uint32_t pid = 0;
  std::uint32_t tgid = 0;
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;  ///< Effective.
  bool kernel_thread = false;
  Comm comm{};  ///< Of the thread group's leader.
};

template <>
inline constexpr bool kIsPlain<TaskIdentity> = true;

/// A task's figures at one moment.
struct TaskReading {
  TaskKey key = 0;
  TaskIdentity identity;
  Figures figures;
};

/// Another process or cgroup that an event speaks of.
struct EventOrigin {
  std::uint64_t cgroup_id = 0;
  std::uint64_t leader_start_ns = 0;
  std::uint32_t tgid = 0;
  Comm comm{};
  bool is_guess = false;  ///< The parent's cgroup, because the kernel side didn't know the task.
};

/// What happened to a task at a moment that does not come back.
struct TaskEvent {
  enum class Kind {
    kFinished,       ///< The last switch: the figures are final.
    kMoved,          ///< The task left the cgroup of `origin` for the cgroup of its identity.
    kForked,         ///< A new process; `origin` is the one that called fork.
    kThreadStarted,  ///< A new thread of the process of `origin`.
    kExecuted,       ///< exec succeeded; the identity is that after it.
    kExecFailed,     ///< exec failed with the errno `code`.
    kExited,         ///< The last thread of a process exits, with `code` (ExitCode).
    kOomKilled,      ///< The OOM killer has chosen the process, and its exit begins.
  };
  Kind kind = Kind::kFinished;
  std::uint64_t time_ns = 0;  ///< CLOCK_BOOTTIME.
  std::uint32_t code = 0;
  EventOrigin origin;
  /// kExited: run time of those threads that the kernel has taken off the process already
  /// (signal_struct.sum_sched_runtime).
  std::uint64_t released_run_ns = 0;
  TaskReading reading;
  /// What the process runs (kExecFailed: what it tried to run); null where that isn't known.
  ProgramImagePtr image;
  /// The group of the process after this, and that of the process of `origin` (kForked,
  /// kThreadStarted); null where Naming is to be asked.
  GroupPtr group;
  GroupPtr origin_group;
};

/// Things that happened and had no room in the event buffer.
struct LostCount {
  TaskEvent::Kind kind = TaskEvent::Kind::kForked;
  bool has_owner = true;  ///< False where not even cgroup and comm are known.
  std::uint64_t cgroup_id = 0;
  Comm comm{};
  std::uint32_t code = 0;
  std::uint64_t count = 0;
  Lifetimes lifetimes;  ///< kExited.
};

/// Sum of the finals of tasks whose events got lost, by cgroup and comm.
struct LostSum {
  std::uint64_t cgroup_id = 0;
  Comm comm{};
  Figures figures;  ///< Absolute figures added up, not differences.
  std::uint64_t tasks = 0;
};

template <>
inline constexpr bool kIsPlain<LostSum> = true;

/// Timeslices that ended in a cgroup since the last sweep.
struct CgroupDistributions {
  std::uint64_t cgroup_id = 0;  ///< 0: of cgroups that the kernel side had no room for.
  Distributions distributions;
};

/// One CPU's books since attaching.
struct CpuReading {
  std::uint32_t cpu = 0;
  TaskKey running = 0;               ///< The task that came in at the last switch; 0: none known.
  std::uint64_t running_run_ns = 0;  ///< Its run_ns then.
  std::uint64_t busy_ns = 0;         ///< Without what `running` has used since.
  std::uint64_t missed_switches = 0;
};

/// Everything that one sweep found in the kernel. Records are in no order, except events, which are
/// in the order of their happening.
struct Snapshot {
  std::uint64_t boottime_ns = 0;       ///< CLOCK_BOOTTIME when the sweep began.
  std::uint32_t sweep = 0;             ///< Its number; consecutive.
  std::vector<TaskEvent> events;       ///< Since the last sweep.
  std::vector<TaskReading> switched;   ///< Tasks at their last switch, from the LRU hash.
  std::vector<TaskReading> living;     ///< Living tasks whose entry in the hash did not say it all.
  std::vector<TaskKey> living_keys;    ///< Living tasks whose entry did.
  std::vector<LostSum> lost_sums;      ///< Finals since the last sweep that had no event.
  std::vector<LostCount> lost_counts;  ///< The same for what else happened.
  std::vector<CgroupDistributions> distributions;  ///< Each cgroup once.
  LostSum unattributed;  ///< Finals that had no sum either; a total since attaching.
  std::vector<CpuReading> cpus;
  std::uint64_t lost_finals = 0;  ///< Finals without an event; a total since attaching.
};

}  // namespace sched_exporter
