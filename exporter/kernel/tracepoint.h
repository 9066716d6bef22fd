#pragma once

#include <cstdint>
#include <string>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

struct bpf_link;
struct bpf_program;

namespace sched_exporter {

/// The number that tracefs has for the classic tracepoint `name` ("syscalls/sys_exit_execve").
/// Where tracefs isn't mounted, it is opened without a place in the file tree (CAP_SYS_ADMIN).
Result<std::uint64_t> TracepointNumber(const std::string& name);

/// The text of the file `file` ("format") that tracefs has for that tracepoint.
Result<std::string> ReadTracepointFile(const std::string& name, const std::string& file);

/// Attaches `program` to the classic tracepoint `name`. The caller owns the link.
Result<bpf_link*> AttachTracepoint(const bpf_program* program, const char* name);

/// The event of the classic tracepoint `name`, for a program that is on no link.
Result<UniqueFd> OpenTracepoint(const char* name);

}  // namespace sched_exporter
