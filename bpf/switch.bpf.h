/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a switch tells of the task that leaves the CPU, and of the CPU itself. */
#ifndef SCHED_EXPORTER_BPF_SWITCH_BPF_H
#define SCHED_EXPORTER_BPF_SWITCH_BPF_H

#include "accounting.bpf.h"
#include "distributions.bpf.h"
#include "events.bpf.h"

/*
 * What the CPU was busy with since its last switch. Returns it where it is a whole timeslice, and
 * UNKNOWN_SLICE where an event is missing.
 */
static __always_inline u64 count_slice(struct abi_cpu *cpu, struct task_struct *prev, u64 run_ns)
{
	u64 since;

	if (cpu->incoming == task_key(prev)) {
		since = cpu->incoming_run_ns;
		/* Or clang makes one load of both, which the verifier refuses. */
		barrier_var(since);
		cpu->busy_ns += run_ns - since;
		return run_ns - since;
	}
	if (cpu->incoming == ABI_INCOMING_UNKNOWN)
		return UNKNOWN_SLICE;
	cpu->missed_switches++;
	/* set_next_entity() in kernel/sched/fair.c sets it for fair tasks only. */
	if (prev->prio < MAX_RT_PRIO)
		return UNKNOWN_SLICE;
	since = prev->se.prev_sum_exec_runtime;
	barrier_var(since);
	cpu->busy_ns += run_ns - since;
	return UNKNOWN_SLICE;
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

/*
 * What the task had at its last switch before it was moved, as far as this CPU knows; false where it
 * knows nothing. Figures that the place has not may be older.
 */
static __always_inline bool figures_before(struct abi_figures *before,
					   const struct abi_recent_task *place,
					   const struct abi_task *entry, struct task_struct *task)
{
	bool in_entry = entry->check == abi_check(task->start_boottime, &entry->figures);

	if (in_entry)
		*before = entry->figures;
	if (is_of(place, task) && (!in_entry || place->run_ns > before->run_ns)) {
		set_recent_figures(before, place);
		return true;
	}
	return in_entry;
}

/*
 * What is rare is in functions of their own, one after the other: what each puts together takes most
 * of the 512 bytes that a program and all that it calls have for variables.
 */

/* The entry is the task's, but says another cgroup, unless this is its last switch. */
static __noinline void tell_move(void *ctx, struct abi_cpu *cpu, struct task_struct *prev,
				 const struct abi_recent_task *place, const struct abi_task *entry)
{
	struct abi_event event = {};

	event.key = task_key(prev);
	read_identity(prev, &event.identity);
	if (figures_before(&event.figures, place, entry, prev))
		send_move(ctx, cpu, &event, entry->identity.cgroup_id, false);
}

static __noinline void tell_end(void *ctx, struct abi_cpu *cpu, struct task_struct *prev)
{
	struct abi_event event = {};

	event.key = task_key(prev);
	read_identity(prev, &event.identity);
	read_figures(prev, &event.figures);
	if (!send_event(ctx, &event, ABI_FINISHED))
		keep_in_sums(cpu, &event.identity, &event.figures);
}

static __noinline void enter_task(struct abi_cpu *cpu, struct task_struct *prev)
{
	struct abi_task entry = {};

	entry.key = task_key(prev);
	read_identity(prev, &entry.identity);
	read_figures(prev, &entry.figures);
	insert_task(cpu, &entry);
}

/* A task's first switch, its first after a move, and its last. */
static __always_inline void switch_anew(void *ctx, struct abi_cpu *cpu, struct task_struct *prev,
					const struct abi_recent_task *place, struct abi_task *entry)
{
	abi_task_key key = task_key(prev);

	if (entry && entry->identity.start_ns == prev->start_boottime)
		tell_move(ctx, cpu, prev, place, entry);
	if (!task_is_dead(prev)) {
		enter_task(cpu, prev);
		return;
	}
	/* First: a walk that begins after the event was taken must not find the entry any more. */
	if (entry)
		bpf_map_delete_elem(&tasks, &key);
	tell_end(ctx, cpu, prev);
}

/*
 * The task left this CPU the last time, too, so that differences are of this one timeslice. User
 * space may have given its cgroup's place in `distributions` away.
 */
static __always_inline bool switch_again(struct abi_recent_task *place, struct task_struct *prev,
					 u64 slice_ns)
{
	u64 timeslices = task_timeslices(prev);
	u64 waits = timeslices - place->timeslices;
	u64 run_ns = prev->se.sum_exec_runtime;
	u64 wait_ns = task_wait_ns(prev);
	struct abi_distributions *at;

	if (!remembers(place, prev) || waits > 1 || slice_ns == UNKNOWN_SLICE || task_is_dead(prev))
		return false;
	if (cgroup_places) {
		at = distributions_at(place->distributions);
		if (!at || at->cgroup_id != place->cgroup_id)
			return false;
		observe(at, 1, slice_ns, waits, wait_ns - place->wait_ns);
	}
	place->run_ns = run_ns;
	place->wait_ns = wait_ns;
	place->timeslices = timeslices;
	place->is_ahead = true;
	return true;
}

/* So that what happens most of the time has the registers to itself. */
static __noinline void switch_slowly(void *ctx, struct abi_cpu_memory *memory,
				     struct task_struct *prev, u64 slice_ns)
{
	struct abi_recent_task *place = recent_place(memory, prev->pid);
	struct abi_cpu *cpu = &memory->books;
	abi_task_key key = task_key(prev);
	struct abi_task *entry = bpf_map_lookup_elem(&tasks, &key);

	if (cgroup_places)
		observe_slowly(cpu, place, entry, prev, slice_ns);
	if (entry && is_current(entry, prev) && !task_is_dead(prev))
		update_task(entry, prev);
	else
		switch_anew(ctx, cpu, prev, place, entry);
	if (place->is_ahead && place->key != key)
		write_back(place);
	remember(place, prev);
}

static __always_inline void account(void *ctx, struct abi_cpu_memory *memory,
				    struct task_struct *prev)
{
	u64 slice_ns = count_slice(&memory->books, prev, prev->se.sum_exec_runtime);
	struct abi_recent_task *place = recent_place(memory, prev->pid);

	/* Or clang works the address out again for each field. */
	barrier_var(place);
	if (!switch_again(place, prev, slice_ns))
		switch_slowly(ctx, memory, prev, slice_ns);
}

#endif
