#pragma once

#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// What differs between kernels and is told by their BTF.
struct KernelFeatures {
  bool exit_tells_group_dead = false;  ///< sched_process_exit has the argument (6.16).
  bool victim_is_task = false;         ///< mark_victim hands over the task, not its pid (6.9).
  bool has_task_pt_regs = false;       ///< The helper of that name (5.15).
  /// Functions of the system calls whose end a program can be attached to (fexit); empty where the
  /// kernel has none, BTF doesn't list it, or it can't be traced.
  std::string execve;
  std::string execveat;
  std::string execve_32;    ///< For 32-bit callers.
  std::string execveat_32;  ///< For 32-bit callers.
};

/// Reads the running kernel's BTF. Fails where it has none.
Result<KernelFeatures> ProbeKernel();

/// True where the kernel has BPF ring buffers (5.8).
bool HasRingBuffers();

}  // namespace sched_exporter
