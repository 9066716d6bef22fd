/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How long timeslices were, and the waits before them: differences of figures that the kernel keeps
 * anyway, so that it takes no clock and no hook on wakeups.
 */
#ifndef SCHED_EXPORTER_BPF_DISTRIBUTIONS_BPF_H
#define SCHED_EXPORTER_BPF_DISTRIBUTIONS_BPF_H

#include "accounting.bpf.h"
#include "buckets.bpf.h"

/* Of what count_slice() does not know. */
#define UNKNOWN_SLICE (~0ULL)

/* Enough at three quarters full; a cgroup that finds all of them taken is counted with others. */
#define MOST_PROBES 16

static __always_inline struct abi_distributions *distributions_at(u32 place)
{
	return bpf_map_lookup_elem(&distributions, &place);
}

/* The number of the cgroup's place on this CPU; takes one if it has none. */
static __always_inline u32 find_distributions(struct abi_cpu *cpu, u64 cgroup_id)
{
	u32 first = bpf_get_smp_processor_id() * (cgroup_places + 1);
	u32 hash = (cgroup_id * 0x9E3779B97F4A7C15ULL) >> 32;
	struct abi_distributions *at;
	u32 place;
	u32 i;

	for (i = 0; i < MOST_PROBES; i++) {
		place = first + 1 + ((hash + i) & (cgroup_places - 1));
		at = distributions_at(place);
		if (!at)
			break;
		if (!at->cgroup_id)
			at->cgroup_id = cgroup_id;
		if (at->cgroup_id == cgroup_id)
			return place;
	}
	cpu->distributions_full++;
	return first;
}

/*
 * Timeslices that ended, mostly one, and the waits before them. Several are counted as all alike. There
 * is no wait where the kernel counted no arrival: a task that is preempted on its way to sleep isn't
 * queued again to sched_info_depart(), and so its next arrival is none (kernel/sched/stats.h).
 */
static __always_inline void observe(struct abi_distributions *at, u64 slices, u64 run_ns, u64 waits,
				    u64 wait_ns)
{
	u32 slice = duration_bucket(slices > 1 ? run_ns / slices : run_ns);
	u32 wait = duration_bucket(waits > 1 ? wait_ns / waits : wait_ns);

	/* The verifier doesn't know what a table holds. */
	if (slice >= ABI_DURATION_BUCKETS || wait >= ABI_DURATION_BUCKETS)
		return;
	at->run_ns += run_ns;
	at->wait_ns += wait_ns;
	at->buckets[slice].slices += slices;
	at->buckets[wait].waits += waits;
}

/* The figures of a task when it last left a CPU. */
struct last_figures {
	u64 run_ns;
	u64 wait_ns;
	u64 timeslices; /* 0: nobody knows */
};

static __always_inline void take_newer(struct last_figures *last, u64 run_ns, u64 wait_ns,
				       u64 timeslices)
{
	if (timeslices <= last->timeslices)
		return;
	last->run_ns = run_ns;
	last->wait_ns = wait_ns;
	last->timeslices = timeslices;
}

static __always_inline void take_from_place(struct last_figures *last,
					    const struct abi_recent_task *place,
					    struct task_struct *task)
{
	if (is_of(place, task))
		take_newer(last, place->run_ns, place->wait_ns, place->timeslices);
}

/* From the place of the CPU that the task seems to have left last. */
static __always_inline void take_from_cpu(struct last_figures *last, u32 cpu,
					  struct task_struct *task)
{
	struct abi_cpu_memory *memory = bpf_map_lookup_elem(&cpus, &cpu);

	if (memory)
		take_from_place(last, recent_place(memory, task->pid), task);
}

/*
 * From this CPU's place, the entry, and the place of the CPU that wrote the entry: one of them is
 * the newest. Where the entry was evicted, or the place may not be found any more because exec gave
 * the leader's pid to another thread (de_thread() in fs/exec.c; that leader is dead), only what is
 * of the timeslice before this one is sure to be the newest.
 */
static __always_inline void find_last(struct last_figures *last,
				      const struct abi_recent_task *place,
				      const struct abi_task *entry, u32 *cpu_of_pid,
				      struct task_struct *task)
{
	take_from_place(last, place, task);
	if (entry && entry->check == abi_check(task->start_boottime, &entry->figures)) {
		/* An entry with as many may have been written while the task ran: by on_move. */
		if (entry->figures.timeslices < task_timeslices(task))
			take_newer(last, entry->figures.run_ns, entry->figures.wait_ns,
				   entry->figures.timeslices);
		take_from_cpu(last, entry->cpu, task);
		if (!task_is_dead(task))
			return;
	} else {
		take_from_cpu(last, *cpu_of_pid, task);
	}
	if (task_timeslices(task) - last->timeslices > 1)
		last->timeslices = last->run_ns = last->wait_ns = 0;
}

/*
 * A switch away from a task that did not leave this CPU the last time. `slice_ns` is as count_slice()
 * has it.
 */
static __noinline void observe_slowly(struct abi_cpu *cpu, struct abi_recent_task *place,
				      const struct abi_task *entry, struct task_struct *prev,
				      u64 slice_ns)
{
	u64 run_ns = prev->se.sum_exec_runtime;
	u64 wait_ns = task_wait_ns(prev);
	u64 n = task_timeslices(prev);
	struct last_figures last = {};
	struct abi_distributions *at;
	u32 slot = prev->pid & (CPU_HINTS - 1);
	u32 *cpu_of_pid = bpf_map_lookup_elem(&cpu_hints, &slot);

	if (!cpu_of_pid)
		return;
	find_last(&last, place, entry, cpu_of_pid, prev);
	*cpu_of_pid = bpf_get_smp_processor_id();
	place->distributions = find_distributions(cpu, cgroup_id_of(prev->cgroups));
	at = distributions_at(place->distributions);
	if (!at)
		return;
	place->cgroup_id = at->cgroup_id;
	wait_ns -= last.wait_ns;
	if (!last.timeslices && n > 1) {
		/* Nothing is known of it but what its arrival on this CPU told. */
		if (slice_ns != UNKNOWN_SLICE)
			observe(at, 1, slice_ns, 1, wait_ns - cpu->incoming_wait_ns);
		return;
	}
	n -= last.timeslices;
	if (n > 1)
		/* No event told the others. */
		observe(at, n, run_ns - last.run_ns, n, wait_ns);
	else
		observe(at, 1, slice_ns != UNKNOWN_SLICE ? slice_ns : run_ns - last.run_ns, n,
			wait_ns);
}

#endif
