#include "exporter/kernel/task_offsets.h"

#include <utility>

namespace sched_exporter {

Result<TaskOffsets> ReadTaskOffsets(const std::string& btf_path) {
  const auto kernel = KernelBtf::OfFile(btf_path);
  if (!kernel) {
    return tl::unexpected(kernel.error());
  }
  TaskOffsets offsets;
  const char* const state =
      kernel->OffsetOf("task_struct", "__state") ? "__state" : "state";  // before 5.14
  const std::pair<const char*, std::uint32_t*> wanted[] = {
      {"se.sum_exec_runtime", &offsets.run},
      {"se.prev_sum_exec_runtime", &offsets.prev_run},
      {state, &offsets.state},
      {"pid", &offsets.pid},
      {"tgid", &offsets.tgid}};
  for (const auto& [field, offset] : wanted) {
    const auto found = kernel->OffsetOf("task_struct", field);
    if (!found) {
      return Fail(btf_path + " is no BTF of a kernel: it has no task_struct." + field +
                  "; give the running kernel's (--bpf.btf-path)");
    }
    *offset = *found;
  }
  return offsets;
}

}  // namespace sched_exporter
