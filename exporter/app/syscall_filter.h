#pragma once

#include "exporter/base/result.h"

namespace sched_exporter {

/// Leaves all threads of this process, and those to come, only the system calls that the exporter
/// makes while it serves (seccomp(2)). Others fail with EPERM, and the kernel's audit log names
/// them: among them execve(), new processes, listening sockets, sockets other than TCP, memory with
/// code, and loading BPF programs. Call it when the programs are attached and the ports are open;
/// it can't be taken back. Where the kernel or an outer filter doesn't allow filters, the log has a
/// warning and nothing else changes.
Result<void> FilterSystemCalls();

}  // namespace sched_exporter
