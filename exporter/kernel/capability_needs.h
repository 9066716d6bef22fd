#pragma once

#include <string>

namespace sched_exporter {

/// For a process without HasBpfCapabilities(): which it lacks, and which it has, e.g. "needs
/// CAP_PERFMON; it has CAP_BPF".
std::string MissingBpfCapabilities();

/// True where bpf() refuses work with maps that are open to whoever has neither CAP_BPF nor
/// CAP_SYS_ADMIN: with kernel.unprivileged_bpf_disabled before Linux 5.19 (__sys_bpf() in
/// kernel/bpf/syscall.c). It is tried, without these capabilities for that moment. Also true where
/// trying it proves nothing, because that sysctl is 0 and may be set later. For a process that has
/// no other thread yet.
bool OpenMapsNeedCapability();

}  // namespace sched_exporter
