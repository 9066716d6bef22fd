#pragma once

#include "exporter/base/result.h"

namespace sched_exporter {

/// Makes the capabilities effective that are of use to this program and that it is permitted to
/// have. A binary with file capabilities needs it: they are set without the effective bit, since
/// execve() fails with EPERM, and no word of ours, where that bit is set and a container's bounding
/// set lacks one of them. What is missing is told by who misses it.
void RaisePermittedCapabilities();

/// Gives up every capability that is not needed once the programs are attached, for this thread and
/// those it starts. What stays: CAP_BPF and CAP_PERFMON (the iterator and map reads, where
/// kernel.unprivileged_bpf_disabled is set), CAP_SYS_PTRACE (/proc/PID/exe of other users),
/// CAP_NET_BIND_SERVICE (ports below 1024).
Result<void> DropPrivileges();

}  // namespace sched_exporter
