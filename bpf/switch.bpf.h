/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a switch tells of the task that leaves the CPU, and of the CPU itself. */
#ifndef SCHED_EXPORTER_BPF_SWITCH_BPF_H
#define SCHED_EXPORTER_BPF_SWITCH_BPF_H

#include "accounting.bpf.h"
#include "events.bpf.h"

/* What the CPU was busy with since its last switch; 0 where an event is missing and nobody knows. */
static __always_inline void count_slice(struct abi_cpu *cpu, struct task_struct *prev, u64 run_ns)
{
	u64 since;

	if (cpu->incoming == task_key(prev)) {
		since = cpu->incoming_run_ns;
		/* Or clang makes one load of both, which the verifier refuses. */
		barrier_var(since);
		cpu->busy_ns += run_ns - since;
		return;
	}
	if (cpu->incoming == ABI_INCOMING_UNKNOWN)
		return;
	cpu->missed_switches++;
	/* set_next_entity() in kernel/sched/fair.c sets it for fair tasks only. */
	if (prev->prio < MAX_RT_PRIO)
		return;
	since = prev->se.prev_sum_exec_runtime;
	barrier_var(since);
	cpu->busy_ns += run_ns - since;
}

/* Tells user space what the task had used when it left its former cgroup. */
static __always_inline void send_move(void *ctx, struct abi_cpu *cpu, struct abi_event *event,
				      u64 from_cgroup_id, bool from_is_guess)
{
	/* A guess that is wrong may agree by chance; user space may know better. */
	if (from_cgroup_id == event->identity.cgroup_id && !from_is_guess)
		return;
	event->origin.cgroup_id = from_cgroup_id;
	event->origin.is_guess = from_is_guess;
	if (!send_event(ctx, event, ABI_MOVED))
		cpu->moves_lost++;
}

/* What the task had at its last switch before it was moved, as far as this CPU knows; or NULL. */
static __always_inline const struct abi_figures *
figures_before(const struct recent_task *place, const struct abi_task *entry, u64 start_ns)
{
	bool in_entry = entry->check == abi_check(start_ns, &entry->figures);

	if (place->start_ns == start_ns &&
	    (!in_entry || place->figures.run_ns > entry->figures.run_ns))
		return &place->figures;
	return in_entry ? &entry->figures : NULL;
}

/* A task's first switch, its first after a move, and its last. */
static __always_inline void switch_slowly(void *ctx, struct abi_cpu *cpu, struct task_struct *prev,
					  struct recent_task *place, struct abi_task *entry)
{
	const struct abi_figures *before;
	abi_task_key key = task_key(prev);
	struct abi_event event = {};

	event.key = key;
	read_identity(prev, &event.identity);
	if (entry && entry->identity.start_ns == event.identity.start_ns) {
		before = figures_before(place, entry, event.identity.start_ns);
		if (before) {
			event.figures = *before;
			send_move(ctx, cpu, &event, entry->identity.cgroup_id, false);
		}
	}
	read_figures(prev, &event.figures);
	if (!task_is_dead(prev)) {
		insert_task(cpu, key, &event.identity, &event.figures);
		return;
	}
	/* First: a walk that begins after the event was taken must not find the entry any more. */
	if (entry)
		bpf_map_delete_elem(&tasks, &key);
	if (!send_event(ctx, &event, ABI_FINISHED))
		keep_in_sums(cpu, &event.identity, &event.figures);
}

static __always_inline void account(void *ctx, struct abi_cpu *cpu, struct task_struct *prev)
{
	struct recent_task *place = recent_place(prev->pid);
	abi_task_key key = task_key(prev);
	struct abi_task *entry;

	if (!place)
		return;
	if (remembers(place, prev) && !task_is_dead(prev)) {
		read_figures(prev, &place->figures);
		return;
	}
	entry = bpf_map_lookup_elem(&tasks, &key);
	if (!entry || !is_current(entry, prev) || task_is_dead(prev)) {
		switch_slowly(ctx, cpu, prev, place, entry);
		remember(place, prev);
		return;
	}
	remember(place, prev);
	update_task(entry, place->start_ns, &place->figures);
}

#endif
