/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reading a task: who it is and what the kernel has counted for it. */
#ifndef SCHED_EXPORTER_BPF_ACCOUNTING_BPF_H
#define SCHED_EXPORTER_BPF_ACCOUNTING_BPF_H

#include "abi.h"
#include "compat.bpf.h"
#include "maps.bpf.h"

static __always_inline abi_task_key task_key(struct task_struct *task)
{
	return (abi_task_key)task;
}

/* The place of the chosen v1 hierarchy among a task's; it depends on how the kernel was configured. */
static __always_inline u32 controller_index(void)
{
	if (hierarchy == ABI_HIERARCHY_CPU)
		return bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id) & 15;
	return bpf_core_enum_value(enum cgroup_subsys_id, cpuacct_cgrp_id) & 15;
}

/* `css` is one that the verifier knows: following it costs no helper calls. */
static __always_inline u64 cgroup_id_of(struct css_set *css)
{
	struct cgroup_subsys_state *state;

	if (hierarchy == ABI_HIERARCHY_V2)
		return css->dfl_cgrp->kn->id;
	state = css->subsys[controller_index()];
	return state->cgroup->kn->id;
}

/* The same for one that the verifier doesn't know. */
static __always_inline u64 cgroup_id_at(struct css_set *css)
{
	struct cgroup_subsys_state *state = NULL;

	if (hierarchy == ABI_HIERARCHY_V2)
		return BPF_CORE_READ(css, dfl_cgrp, kn, id);
	bpf_probe_read_kernel(&state, sizeof(state), &css->subsys[controller_index()]);
	return BPF_CORE_READ(state, cgroup, kn, id);
}

static __always_inline void read_figures(struct task_struct *task, struct abi_figures *f)
{
	f->run_ns = task->se.sum_exec_runtime;
	f->wait_ns = task_wait_ns(task);
	f->timeslices = task_timeslices(task);
	f->voluntary = task->nvcsw;
	f->involuntary = task->nivcsw;
	f->migrations = task->se.nr_migrations;
	f->user_ns = task->utime;
	f->system_ns = task->stime;
}

/* `from` is a task's, a multiple of eight bytes into it. */
static __always_inline void copy_comm(char *to, const char *from)
{
	((u64 *)to)[0] = ((const u64 *)from)[0];
	((u64 *)to)[1] = ((const u64 *)from)[1];
}

static __always_inline void read_identity(struct task_struct *task, struct abi_identity *id)
{
	struct task_struct *leader = task->group_leader;

	/*
	 * A thread that reaps itself may outlive its leader by a moment (release_task() in
	 * kernel/exit.c runs before the last switch). Then the leader's memory may belong to someone
	 * else already: it is the leader only if it says so.
	 */
	if (leader->pid != task->tgid)
		leader = task;
	id->start_ns = task->start_boottime;
	id->leader_start_ns = leader->start_boottime;
	id->css_set = (u64)task->cgroups;
	id->cred = (u64)task->cred;
	id->cgroup_id = cgroup_id_of(task->cgroups);
	id->pid = task->pid;
	id->tgid = task->tgid;
	id->ppid = task->real_parent->tgid;
	id->uid = task->cred->euid.val;
	id->kernel_thread = !!(task->flags & PF_KTHREAD);
	id->pad = 0;
	copy_comm(id->comm, leader->comm);
}

/* The same for the task that runs, where the kernel hands over no pointer that may be followed. */
static __always_inline void read_current_identity(struct abi_identity *id)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	id->start_ns = BPF_CORE_READ(task, start_boottime);
	id->leader_start_ns = BPF_CORE_READ(leader, start_boottime);
	id->css_set = (u64)BPF_CORE_READ(task, cgroups);
	id->cred = (u64)BPF_CORE_READ(task, cred);
	id->cgroup_id = cgroup_id_at((struct css_set *)id->css_set);
	id->pid = BPF_CORE_READ(task, pid);
	id->tgid = BPF_CORE_READ(task, tgid);
	id->ppid = BPF_CORE_READ(task, real_parent, tgid);
	id->uid = BPF_CORE_READ(task, cred, euid.val);
	id->kernel_thread = 0;
	BPF_CORE_READ_INTO(&id->comm, leader, comm);
}

/* True where the entry belongs to this very task and its cgroup has not changed. */
static __always_inline bool is_current(const struct abi_task *entry, struct task_struct *task)
{
	return entry->identity.start_ns == task->start_boottime &&
	       entry->identity.css_set == (u64)task->cgroups;
}

/* Both: in exec a thread takes its leader's start and pid, and an address is used again. */
static __always_inline bool is_of(const struct abi_recent_task *place, struct task_struct *task)
{
	return place->key == task_key(task) && place->start_ns == task->start_boottime;
}

/*
 * A task that comes and goes on one CPU is remembered there with the figures that distributions
 * need, and its entry in `tasks` rests meanwhile: the look-up in the hash and the copy of all figures
 * are most of what the hook would cost (docs/performance.md). each_task() sees that the entry is
 * behind and tells the whole truth.
 */
static __always_inline bool remembers(const struct abi_recent_task *place, struct task_struct *task)
{
	return is_of(place, task) && place->css_set == (u64)task->cgroups;
}

static __always_inline void remember(struct abi_recent_task *place, struct task_struct *task)
{
	place->start_ns = task->start_boottime;
	place->css_set = (u64)task->cgroups;
	place->key = task_key(task);
	place->run_ns = task->se.sum_exec_runtime;
	place->wait_ns = task_wait_ns(task);
	place->timeslices = task_timeslices(task);
	place->is_ahead = false;
}

/* Those of the figures that places have. */
static __always_inline void set_recent_figures(struct abi_figures *figures,
					       const struct abi_recent_task *place)
{
	figures->run_ns = place->run_ns;
	figures->wait_ns = place->wait_ns;
	figures->timeslices = place->timeslices;
}

/*
 * Figures in place. The LRU may give the entry to another task meanwhile: the check sum is over this
 * task's start, whatever the entry says by now.
 */
static __always_inline void update_task(struct abi_task *entry, struct task_struct *task)
{
	read_figures(task, &entry->figures);
	entry->check = abi_check(task->start_boottime, &entry->figures);
	entry->cpu = bpf_get_smp_processor_id();
	entry->is_partial = false;
}

/* The place is wanted for another task: what it knows more than the entry goes there. */
static __always_inline void write_back(const struct abi_recent_task *place)
{
	struct abi_task *entry;
	abi_task_key key = place->key;

	entry = bpf_map_lookup_elem(&tasks, &key);
	if (!entry || entry->check != abi_check(place->start_ns, &entry->figures) ||
	    entry->figures.timeslices >= place->timeslices)
		return;
	set_recent_figures(&entry->figures, place);
	entry->check = abi_check(place->start_ns, &entry->figures);
	entry->is_partial = true;
}

/* Puts an entry with key, identity and figures into `tasks`; a failure counts. */
static __always_inline void insert_task(struct abi_cpu *cpu, struct abi_task *entry)
{
	entry->check = abi_check(entry->identity.start_ns, &entry->figures);
	entry->sweep = sweep;
	entry->cpu = bpf_get_smp_processor_id();
	if (bpf_map_update_elem(&tasks, &entry->key, entry, BPF_ANY))
		cpu->insert_failures++;
}

#endif
