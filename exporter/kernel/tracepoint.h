#pragma once

#include "exporter/base/result.h"

struct bpf_link;
struct bpf_program;

namespace sched_exporter {

/// Attaches `program` to the classic tracepoint `name` ("syscalls/sys_exit_execve"). The caller
/// owns the link. Its number is read from tracefs, which need not be mounted for that where this
/// process may mount it (CAP_SYS_ADMIN): it is opened without a place in the file tree.
Result<bpf_link*> AttachTracepoint(const bpf_program* program, const char* name);

}  // namespace sched_exporter
