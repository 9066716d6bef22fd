#pragma once

namespace sched_exporter {

/// The classic tracepoints of portable mode, as tracefs has them.
inline constexpr char kSwitchTracepoint[] = "sched/sched_switch";
inline constexpr char kNewTaskTracepoint[] = "task/task_newtask";
inline constexpr char kExecTracepoint[] = "sched/sched_process_exec";
inline constexpr char kMkdirTracepoint[] = "cgroup/cgroup_mkdir";
inline constexpr const char* kPortableTracepoints[] = {kSwitchTracepoint, kNewTaskTracepoint,
                                                       kExecTracepoint, kMkdirTracepoint};

}  // namespace sched_exporter
