#pragma once

namespace sched_exporter {

/// Those capabilities in the effective set of this process that are of use to the exporter.
struct ProbedCapabilities {
  bool bpf = false;
  bool perfmon = false;
  bool sys_admin = false;
  bool sys_ptrace = false;
  bool net_bind_service = false;
  bool dac_read_search = false;
};

/// None where they can't be read.
ProbedCapabilities ReadCapabilities();

/// True where this process has CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in its effective set
/// (bpf_capable() and perfmon_capable() in include/linux/capability.h).
bool HasBpfCapabilities();

}  // namespace sched_exporter
