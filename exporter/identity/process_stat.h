#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/identity/cgroups.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// What /proc/PID/stat tells (proc(5)), as far as it is wanted here.
struct StatFields {
  char state = '?';
  std::uint32_t ppid = 0;
  std::uint32_t flags = 0;    ///< PF_*.
  std::uint32_t threads = 0;  ///< The leader counts as long as it is not reaped.
  std::uint64_t start_ticks = 0;
};

/// What /proc/PID/status tells.
struct StatusFields {
  std::uint32_t tgid = 0;
  std::uint32_t uid = 0;  ///< Effective.
};

/// A process as BPF programs would see it, but from /proc.
struct ProcessStat {
  TaskIdentity identity;   ///< Without cgroup_id; times to a tick.
  bool has_ended = false;  ///< A zombie: all of its threads are through.
};

/// Reads the text of a file `stat`, whatever the comm in it is; none where it has another form.
std::optional<StatFields> ParseStat(std::string_view text);

/// Reads the text of a file `status`.
std::optional<StatusFields> ParseStatus(std::string_view text);

/// The path in `hierarchy` in the text of a file `cgroup` (cgroups(7)); none where it isn't there.
std::optional<std::string> ParseCgroupPath(std::string_view text, Hierarchy hierarchy);

/// The task's name in the kernel (task_struct.comm) from the text of a file `comm`. Of a kernel
/// thread that has more: the whole name (get_kthread_comm() in kernel/kthread.c), and what a
/// kworker works at (wq_worker_comm() in kernel/workqueue.c).
Comm CommOfFile(std::string_view text, bool kernel_thread);

/// Reads the process `pid` in `procfs`; its leader's comm, state and user are those of the process.
/// Fails with one line where there is none, and where `pid` is a thread other than the leader.
Result<ProcessStat> ReadProcessStat(std::uint32_t pid, const std::string& procfs);

/// The cgroup of the process's leader. Fails with one line.
Result<std::string> ReadCgroupPath(std::uint32_t pid, const std::string& procfs,
                                   Hierarchy hierarchy);

}  // namespace sched_exporter
