// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Tells each switch away from a task of one cgroup, with what the kernel has counted for the task. */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 cgroup_id = 0;

struct record {
	u64 task;
	u64 start_ns;
	u64 run_ns;
	u64 wait_ns;
	u64 timeslices;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024);
} records SEC(".maps");

__u64 lost;

SEC("tp_btf/sched_switch")
int BPF_PROG(record_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct record record;

	if (!prev->pid || prev->cgroups->dfl_cgrp->kn->id != cgroup_id)
		return 0;
	record.task = (u64)prev;
	record.start_ns = prev->start_boottime;
	record.run_ns = prev->se.sum_exec_runtime;
	record.wait_ns = prev->sched_info.run_delay;
	record.timeslices = prev->sched_info.pcount;
	if (bpf_ringbuf_output(&records, &record, sizeof(record), BPF_RB_NO_WAKEUP))
		lost++;
	return 0;
}
