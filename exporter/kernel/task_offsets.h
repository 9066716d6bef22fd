#pragma once

#include <cstdint>
#include <string>

#include "exporter/base/result.h"
#include "exporter/kernel/kernel_btf.h"

namespace sched_exporter {

/// Where fields are in the kernel's struct task_struct, in bytes.
struct TaskOffsets {
  std::uint32_t run = 0;       ///< se.sum_exec_runtime
  std::uint32_t prev_run = 0;  ///< se.prev_sum_exec_runtime
  std::uint32_t state = 0;     ///< __state, before 5.14 state
  std::uint32_t pid = 0;
  std::uint32_t tgid = 0;
};

/// Reads them in a file. Fails with one line where it isn't a kernel's BTF.
Result<TaskOffsets> ReadTaskOffsets(const std::string& btf_path);

}  // namespace sched_exporter
