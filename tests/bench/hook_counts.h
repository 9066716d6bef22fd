#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter::test_support {

/// A figure under a name, as tests/bench/counts.txt has it.
struct NamedCount {
  std::string name;
  std::uint64_t count = 0;
};

/// What on_switch, as it is loaded with the exporter's defaults, executes for a task that goes and
/// comes on one CPU, for one that its CPU has forgotten, and for the idle task: BPF instructions
/// and calls of helpers, in a BpfVm. Needs root and the kernel's BTF. Fails also where a switch
/// was not what its name says, so that no count is of another path.
Result<std::vector<NamedCount>> CountHook();

}  // namespace sched_exporter::test_support
