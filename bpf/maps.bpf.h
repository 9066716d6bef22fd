/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Knobs and maps. User space sets the sizes from the config before loading. */
#ifndef SCHED_EXPORTER_BPF_MAPS_BPF_H
#define SCHED_EXPORTER_BPF_MAPS_BPF_H

#include "abi.h"
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

/* Which hierarchy cgroup ids are of; enum abi_hierarchy. */
const volatile __u32 hierarchy = ABI_HIERARCHY_V2;

/* Its number (cgroup_root.hierarchy_id); 0 is v2. Ids are unique within one hierarchy only. */
const volatile __u32 hierarchy_id = 0;

/* What `events` is; enum abi_transport. */
const volatile __u32 transport = ABI_TRANSPORT_RINGBUF;

/* Its size. */
const volatile __u32 events_bytes = 1048576;

/* How many bytes of a command line are told at exec; 0 to ABI_MAX_ARGUMENTS. */
const volatile __u32 arguments_room = 0;

/* Of what tasks use, tell no more than their final figures. */
const volatile __u32 finals_only = false;

/* Places for cgroups that a CPU has in `distributions`, a power of two; 0: none are wanted. */
const volatile __u32 cgroup_places = 0;

/* What the tracepoints of this kernel tell; see compat.bpf.h. */
const volatile __u32 exit_tells_group_dead = false;
const volatile __u32 victim_is_task = false;

/* bpf_task_pt_regs() is there (5.15). */
const volatile __u32 has_task_pt_regs = false;

/* Programs on tracepoints can be preempted here; see is_first_to_tell() in lifecycle.bpf.h. */
const volatile __u32 tracepoints_preempted = false;

/* The functions of system calls that hand over their registers in a form that can be read. */
enum {
	EXECVE,
	EXECVEAT,
	EXECVE_32,
	EXECVEAT_32,
	EXEC_CALLS
};
const volatile __u32 tells_registers[EXEC_CALLS] = {};

/* The sweep that is going on; user space counts it up before each. */
__u32 sweep;

/*
 * Whose turn it is: of sums_b and counts_b where it is odd, else of sums_a and counts_a. User space
 * reads the other ones and counts it up, so that it tells which it has read, also after its death.
 */
__u32 sums_turn;

/* Keyed by task; absolute figures, so that an eviction loses nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, abi_task_key);
	__type(value, struct abi_task);
} tasks SEC(".maps");

/*
 * What happens to tasks, struct abi_event each. User space makes it an array of perf buffers where
 * `transport` says so.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1048576);
} events SEC(".maps");

/* The second place for finals. Two, so that one can be read and emptied while the other is filled. */
struct sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct abi_sum_key);
	__type(value, struct abi_sum);
} sums_a SEC(".maps"), sums_b SEC(".maps");

/* The second place for what else happens, two for the same reason. */
struct counts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct abi_count_key);
	__type(value, struct abi_count);
} counts_a SEC(".maps"), counts_b SEC(".maps");

/* And the last one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ABI_OTHER_SIZE);
	__type(key, u32);
	__type(value, struct abi_count);
} counts_other SEC(".maps");

/* Tasks that the OOM killer has chosen and that have not exited, by pid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u32);
} oom_victims SEC(".maps");

/* How many there are, so that an exit need not look; user space has no use for it. */
__u32 oom_pending;

/* Processes with threads that have exited just now; see is_last_thread(). */
struct exiting_key {
	u64 signal;
	u64 leader_start_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct exiting_key);
	__type(value, u32);
} exiting SEC(".maps");

/* What was told and may be told again; see is_first_to_tell() in lifecycle.bpf.h. */
struct told_key {
	u64 task;
	u64 start; /* what tells this task from the next one at its address */
	u64 kind;  /* enum abi_event_kind */
};

/* LRU: a mark that nobody took away goes when it is the oldest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct told_key);
	__type(value, u32);
} told SEC(".maps");

/* Where a record for a perf buffer is put together that is too large for the stack. */
struct exec_scratch {
	u32 busy;
	u32 pad;
	union {
		struct abi_exec_event record;
		char bytes[sizeof(struct abi_exec_event) + ABI_MAX_ARGUMENTS];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct exec_scratch);
} scratch SEC(".maps");

/* One element for each possible CPU; the last place for finals among them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct abi_cpu_memory);
} cpus SEC(".maps");

/* By pid: the CPU that has a place for the task. Tasks may share an element, so it is a guess. */
#define CPU_HINTS 65536
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPU_HINTS);
	__type(key, u32);
	__type(value, u32);
} cpu_hints SEC(".maps");

/*
 * For each CPU one place for what has no other, and then `cgroup_places` places, in which a cgroup
 * is found by its id (distributions.bpf.h). User space takes out those that rest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct abi_distributions);
} distributions SEC(".maps");

/* Paths of cgroups made since attaching, by id. User space takes them out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct abi_cgroup_path);
} cgroup_paths SEC(".maps");

/* The element of this CPU; beside its own CPU nobody writes it. */
static __always_inline struct abi_cpu_memory *this_memory(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct abi_cpu *this_cpu(void)
{
	struct abi_cpu_memory *memory = this_memory();

	return memory ? &memory->books : NULL;
}

/* The place for a task with this pid among what a CPU remembers. */
static __always_inline struct abi_recent_task *recent_place(struct abi_cpu_memory *memory, u32 pid)
{
	return &memory->recent[pid & (ABI_RECENT_TASKS - 1)];
}

#endif
