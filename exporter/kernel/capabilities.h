#pragma once

namespace sched_exporter {

/// True where this process has CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in its effective set
/// (bpf_capable() and perfmon_capable() in include/linux/capability.h).
bool HasBpfCapabilities();

}  // namespace sched_exporter
