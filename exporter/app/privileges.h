#pragma once

#include "exporter/base/result.h"

namespace sched_exporter {

/// Gives up every capability that is not needed once the programs are attached, for this thread and
/// those it starts. What stays: CAP_BPF and CAP_PERFMON (the iterator and map reads, where
/// kernel.unprivileged_bpf_disabled is set), CAP_SYS_PTRACE (/proc/PID/exe of other users),
/// CAP_NET_BIND_SERVICE (ports below 1024).
Result<void> DropPrivileges();

}  // namespace sched_exporter
