// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Two floors to measure on_switch against, attached beside it, and what a textbook would do. */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, u64);
} run_times SEC(".maps");

struct on_cpu {
	u64 since_ns;
	u64 total_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct on_cpu);
} on_cpu_times SEC(".maps");

/* What the kernel's own measuring of a program costs. */
SEC("tp_btf/sched_switch")
int empty(void *ctx)
{
	return 0;
}

/* What the kernel takes for the tour of all tasks. */
SEC("iter/task")
int empty_iterator(void *ctx)
{
	return 0;
}

/* The least that a hash by task can cost: one look-up, one figure. */
SEC("tp_btf/sched_switch")
int BPF_PROG(lru_store, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u32 pid = prev->pid;
	u64 run_ns = prev->se.sum_exec_runtime;
	u64 *value = bpf_map_lookup_elem(&run_times, &pid);

	if (value)
		*value = run_ns;
	else
		bpf_map_update_elem(&run_times, &pid, &run_ns, BPF_ANY);
	return 0;
}

/* Reads the clock, looks both tasks up and puts both back. */
SEC("tp_btf/sched_switch")
int BPF_PROG(textbook, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns();
	struct on_cpu times = {};
	u32 pid = prev->pid;
	struct on_cpu *known = bpf_map_lookup_elem(&on_cpu_times, &pid);

	if (known && known->since_ns)
		times.total_ns = known->total_ns + now - known->since_ns;
	bpf_map_update_elem(&on_cpu_times, &pid, &times, BPF_ANY);
	pid = next->pid;
	known = bpf_map_lookup_elem(&on_cpu_times, &pid);
	times.total_ns = known ? known->total_ns : 0;
	times.since_ns = now;
	bpf_map_update_elem(&on_cpu_times, &pid, &times, BPF_ANY);
	return 0;
}
