#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sched_exporter::test_support {

/// What a search through the memory of a process found.
struct MemorySearch {
  std::uint64_t bytes = 0;  ///< That could be read.
  std::uint64_t found = 0;  ///< Occurrences.
};

/// Searches all that is mapped and can be read: more than a core would hold.
MemorySearch SearchMemory(pid_t pid, const std::string& needle);

}  // namespace sched_exporter::test_support
