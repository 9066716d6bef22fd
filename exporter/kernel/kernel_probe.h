#pragma once

#include <vector>

#include "exporter/kernel/finding.h"

namespace sched_exporter {

/// What the running kernel offers, and what this process may do with it.
struct KernelProbe {
  std::vector<Finding> findings;
  bool has_btf = false;
  bool full_mode = false;      ///< All that the programs of a mode can't do without is there.
  bool portable_mode = false;  ///< The same.
};

/// Tries each feature by itself, with small programs and maps that are gone when this returns.
/// Attaches nothing but empty programs to the end of execve(), for a moment.
KernelProbe ProbeRunningKernel();

}  // namespace sched_exporter
