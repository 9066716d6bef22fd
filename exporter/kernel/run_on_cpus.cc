#include "exporter/kernel/run_on_cpus.h"

#include <bpf/bpf.h>

namespace sched_exporter {

void RunOnEachCpu(int program_fd, std::uint32_t cpus) {
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.flags = BPF_F_TEST_RUN_ON_CPU;
    options.cpu = cpu;
    // ENXIO: the CPU is offline. EINVAL: the kernel is too old.
    bpf_prog_test_run_opts(program_fd, &options);
  }
}

}  // namespace sched_exporter
