#pragma once

#include <algorithm>
#include <optional>

#include "bpf/abi.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// The kernel's records as the model's.
inline Figures FromAbi(const abi_figures& from) {
  return Figures{from.run_ns,      from.wait_ns,    from.timeslices, from.voluntary,
                 from.involuntary, from.migrations, from.user_ns,    from.system_ns};
}

inline Comm CommFromAbi(const char (&from)[ABI_COMM_LEN]) {
  Comm comm;
  std::copy(std::begin(from), std::end(from), comm.begin());
  return comm;
}

inline TaskIdentity FromAbi(const abi_identity& from) {
  TaskIdentity to;
  to.start_ns = from.start_ns;
  to.leader_start_ns = from.leader_start_ns;
  to.cgroup_id = from.cgroup_id;
  to.pid = from.pid;
  to.tgid = from.tgid;
  to.ppid = from.ppid;
  to.uid = from.uid;
  to.kernel_thread = from.kernel_thread != 0;
  to.comm = CommFromAbi(from.comm);
  return to;
}

/// Nothing for a kind that this version doesn't know.
inline std::optional<TaskEvent::Kind> KindFromAbi(std::uint32_t kind) {
  switch (kind) {
    case ABI_FINISHED:
      return TaskEvent::Kind::kFinished;
    case ABI_MOVED:
      return TaskEvent::Kind::kMoved;
    case ABI_FORKED:
      return TaskEvent::Kind::kForked;
    case ABI_THREAD_STARTED:
      return TaskEvent::Kind::kThreadStarted;
    case ABI_EXECUTED:
      return TaskEvent::Kind::kExecuted;
    case ABI_EXEC_FAILED:
      return TaskEvent::Kind::kExecFailed;
    case ABI_EXITED:
      return TaskEvent::Kind::kExited;
    case ABI_OOM_KILLED:
      return TaskEvent::Kind::kOomKilled;
    default:
      return std::nullopt;
  }
}

}  // namespace sched_exporter
