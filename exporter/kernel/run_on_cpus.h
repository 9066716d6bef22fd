#pragma once

#include <cstdint>

namespace sched_exporter {

/// Runs a raw tracepoint program once on each of the CPUs 0 to `cpus` - 1 that is online. Does
/// nothing where the kernel can't (BPF_F_TEST_RUN_ON_CPU for them came with 5.10).
void RunOnEachCpu(int program_fd, std::uint32_t cpus);

}  // namespace sched_exporter
