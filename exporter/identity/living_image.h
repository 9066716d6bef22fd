#pragma once

#include <cstdint>
#include <string>

#include "exporter/model/program_image.h"

namespace sched_exporter {

/// The command line of a living process, as ProgramImage has arguments; empty for a kernel thread,
/// a zombie, and a process that is gone. Not more than its first 4096 bytes: whoever starts a
/// process can make it two megabytes long. The kernel may be held up in this by the process's
/// owner.
std::string ArgumentsOfLiving(std::uint32_t pid, const std::string& procfs = "/proc");

/// What a living process runs, by its link `exe` in `procfs`: the file alone. Null for a kernel
/// thread, for a process that is gone, and where the link may not be read (CAP_SYS_PTRACE).
ProgramImagePtr ImageOfLiving(std::uint32_t pid, const std::string& procfs = "/proc");

}  // namespace sched_exporter
