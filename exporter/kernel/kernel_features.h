#pragma once

#include <string>

#include "exporter/base/result.h"
#include "exporter/kernel/kernel_btf.h"

namespace sched_exporter {

/// The function of a system call, where a program can be attached to its end (fexit).
struct TraceableEnd {
  std::string function;          ///< Empty: BTF doesn't list it, or it can't be traced.
  bool tells_registers = false;  ///< Programs may read what it was called with.
};

/// What differs between kernels and is told by their BTF.
struct KernelFeatures {
  bool exit_tells_group_dead = false;  ///< sched_process_exit has the argument (6.16).
  bool victim_is_task = false;         ///< mark_victim hands over the task, not its pid (6.9).
  bool has_task_pt_regs = false;       ///< The helper of that name (5.15).
  bool tracepoints_preempted = false;  ///< Programs on tracepoints can be preempted (6.19).
  TraceableEnd execve;
  TraceableEnd execveat;
  TraceableEnd execve_32;    ///< For 32-bit callers.
  TraceableEnd execveat_32;  ///< For 32-bit callers.
};

/// Reads the running kernel's BTF. Fails where it has none.
Result<KernelFeatures> ProbeKernel();

/// The same, of the running kernel's BTF.
KernelFeatures FeaturesOf(const KernelBtf& kernel);

/// True where the kernel has BPF ring buffers (5.8).
bool HasRingBuffers();

}  // namespace sched_exporter
