#pragma once

#include <cstdint>

#include "exporter/kernel/finding.h"

namespace sched_exporter {

/// Small programs and maps that are tried on the running kernel; nothing of them stays. Each answer
/// is kUnknown where this process isn't permitted to try.

/// A program of type tracing that would be attached to the type `btf_id` as `attach_type` says
/// (enum bpf_attach_type).
Answer TryTracingProgram(int attach_type, std::uint32_t btf_id);

/// A program on a classic tracepoint, as one with its name in tracefs has it.
Answer TryTracepointProgram();

/// A ring buffer of one page.
Answer TryRingBuffer();

/// Look-ups of many entries at once in an LRU hash.
Answer TryBatchLookup();

/// Running a program on a chosen CPU.
Answer TryRunOnCpu();

/// Whether maps are accounted to the cgroup, not to RLIMIT_MEMLOCK.
Answer TryCgroupAccounting();

}  // namespace sched_exporter
