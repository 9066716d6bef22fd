// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Every task's CPU time, from the kernel's own books. The hooks copy what the scheduler has just
 * counted; they read no clock and add nothing up that the kernel adds up itself.
 */
#include "abi.h"
#include "lifecycle.bpf.h"
#include "switch.bpf.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * At sched_switch the kernel has just brought prev's sum_exec_runtime up to date, for every
 * scheduling class (put_prev_task() -> update_curr()); test: kernel/truth_test.cc.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct abi_cpu_memory *memory = this_memory();
	struct abi_cpu *cpu;

	if (!memory || (finals_only && !task_is_dead(prev)))
		return 0;
	cpu = &memory->books;
	if (prev->pid)
		account(ctx, memory, prev);
	cpu->incoming = next->pid ? task_key(next) : ABI_INCOMING_IDLE;
	cpu->incoming_run_ns = next->se.sum_exec_runtime;
	cpu->incoming_wait_ns = task_wait_ns(next);
	return 0;
}

/*
 * cgroup_attach_task() in kernel/cgroup/cgroup.c, after the move. The kernel bills a running task
 * at each update_curr(), so that sum_exec_runtime is at this moment exactly what the former cgroup
 * was billed. Only the leader is passed; other threads are noticed at their next switch.
 */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_move, struct cgroup *dst, const char *path, struct task_struct *task,
	     bool threadgroup)
{
	struct abi_cpu *cpu = this_cpu();
	abi_task_key key = task_key(task);
	struct abi_event event = {};
	struct abi_task *entry;

	/* A leader that exited before its threads has told its end. */
	if (!cpu || finals_only || task_is_dead(task))
		return 0;
	event.key = key;
	read_figures(task, &event.figures);
	read_identity(task, &event.identity);
	entry = bpf_map_lookup_elem(&tasks, &key);
	if (entry && entry->identity.start_ns == event.identity.start_ns) {
		send_move(ctx, cpu, &event, entry->identity.cgroup_id, false);
		entry->identity.cgroup_id = event.identity.cgroup_id;
		entry->identity.css_set = event.identity.css_set;
		return 0;
	}
	/* Evicted: user space knows where it was. Or it has not left a CPU yet: where its parent is. */
	send_move(ctx, cpu, &event, cgroup_id_of(task->real_parent->cgroups), true);
	enter_task(cpu, task);
	/* Its last switch on another CPU, just now, found nothing to delete. */
	if (task_is_dead(task))
		bpf_map_delete_elem(&tasks, &key);
	return 0;
}

/* cgroup_mkdir() in kernel/cgroup/cgroup.c: the name of a cgroup that may be gone at the next sweep. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_mkdir, struct cgroup *cgrp, const char *path)
{
	static const struct abi_cgroup_path zero;
	struct abi_cpu *cpu = this_cpu();
	struct abi_cgroup_path *value;
	u64 id = cgrp->kn->id;

	if (!cpu || (u32)cgrp->root->hierarchy_id != hierarchy_id)
		return 0;
	bpf_map_update_elem(&cgroup_paths, &id, &zero, BPF_ANY);
	value = bpf_map_lookup_elem(&cgroup_paths, &id);
	if (!value) {
		cpu->paths_lost++;
		return 0;
	}
	bpf_probe_read_kernel_str(value->path, sizeof(value->path), path);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (!tracepoints_preempted ||
	    is_first_to_tell(task_key(child), child->start_boottime, ABI_FORKED, 1))
		tell_fork(ctx, parent, child);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork_2nd, struct task_struct *parent, struct task_struct *child)
{
	if (is_first_to_tell(task_key(child), child->start_boottime, ABI_FORKED, 2))
		tell_fork(ctx, parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (!tracepoints_preempted ||
	    is_first_to_tell(task_key(task), exec_number(task), ABI_EXECUTED, 1))
		tell_exec(ctx, task, bprm);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec_2nd, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (is_first_to_tell(task_key(task), exec_number(task), ABI_EXECUTED, 2))
		tell_exec(ctx, task, bprm);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (!tracepoints_preempted ||
	    is_first_to_tell(task_key(task), task->start_boottime, ABI_EXITED, 1))
		tell_exit(ctx, task);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit_2nd, struct task_struct *task)
{
	if (is_first_to_tell(task_key(task), task->start_boottime, ABI_EXITED, 2))
		tell_exit(ctx, task);
	return 0;
}

SEC("tp_btf/mark_victim")
int on_oom_victim(u64 *ctx)
{
	if (victim_is_task)
		tell_oom_victim(ctx, (struct task_struct *)ctx[0]);
	else
		note_oom_victim(ctx[0]);
	return 0;
}

/*
 * The end of execve() and execveat(), for native and for 32-bit callers. User space names the
 * functions of this machine, or takes `traced_*`: a tracepoint of any system call slows all of them (docs/decisions/0010-exec-failures-by-fexit.md).
 */
static __always_inline int execve_ends(u64 *ctx, u32 call, u32 program)
{
	bool is_32_bit = call == EXECVE_32 || call == EXECVEAT_32;
	u32 file_argument = call == EXECVEAT || call == EXECVEAT_32;
	u64 task = bpf_get_current_task();
	u64 pid = bpf_get_current_pid_tgid();
	const char *file = NULL;
	long result = ctx[1];

	if (!fails_for_its_caller(result) || !is_first_to_tell(task, pid, ABI_EXEC_FAILED, program))
		return 0;
	if (tells_registers[call])
		file = syscall_pointer((struct pt_regs *)ctx[0], is_32_bit, file_argument);
	tell_exec_failure(ctx, result, file);
	return 0;
}

SEC("fexit")
int execve_end(u64 *ctx)
{
	return execve_ends(ctx, EXECVE, 1);
}

SEC("fexit")
int execve_2nd(u64 *ctx)
{
	return execve_ends(ctx, EXECVE, 2);
}

SEC("fexit")
int execveat_end(u64 *ctx)
{
	return execve_ends(ctx, EXECVEAT, 1);
}

SEC("fexit")
int execveat_2nd(u64 *ctx)
{
	return execve_ends(ctx, EXECVEAT, 2);
}

SEC("fexit")
int execve32_end(u64 *ctx)
{
	return execve_ends(ctx, EXECVE_32, 1);
}

SEC("fexit")
int execve32_2nd(u64 *ctx)
{
	return execve_ends(ctx, EXECVE_32, 2);
}

SEC("fexit")
int execveat32_end(u64 *ctx)
{
	return execve_ends(ctx, EXECVEAT_32, 1);
}

SEC("fexit")
int execveat32_2nd(u64 *ctx)
{
	return execve_ends(ctx, EXECVEAT_32, 2);
}

/* include/trace/events/syscalls.h: struct of trace_sys_exit, `ret` is at 16. */
struct syscall_exit {
	u64 common;
	long id;
	long result;
};

static __always_inline int traced_execve_ends(struct syscall_exit *ctx, u32 file_argument)
{
	const char *file = NULL;

	if (!fails_for_its_caller(ctx->result))
		return 0;
	if (has_task_pt_regs)
		file = syscall_pointer((void *)bpf_task_pt_regs(bpf_get_current_task_btf()), false,
				       file_argument);
	tell_exec_failure(ctx, ctx->result, file);
	return 0;
}

SEC("tp/syscalls/sys_exit_execve")
int traced_execve(struct syscall_exit *ctx)
{
	return traced_execve_ends(ctx, 0);
}

SEC("tp/syscalls/sys_exit_execveat")
int traced_execveat(struct syscall_exit *ctx)
{
	return traced_execve_ends(ctx, 1);
}

/* True where the entry in `tasks` was there before this sweep and says all that the task does. */
static __always_inline bool entry_says_it_all(const struct abi_task *entry,
					      struct task_struct *task)
{
	const u64 *comm = (const u64 *)task->group_leader->comm;

	if (entry->sweep == sweep || entry->is_partial || !is_current(entry, task) ||
	    task_is_on_cpu(task))
		return false;
	/*
	 * The other figures can't grow but with these, except for a migration that is not run yet. By a
	 * coarse clock a timeslice may last 0 ns.
	 */
	if (entry->figures.run_ns != task->se.sum_exec_runtime ||
	    entry->figures.timeslices != task_timeslices(task))
		return false;
	if (entry->identity.cred != (u64)task->cred ||
	    entry->identity.ppid != (u32)task->real_parent->tgid)
		return false;
	return comm[0] == ((const u64 *)entry->identity.comm)[0] &&
	       comm[1] == ((const u64 *)entry->identity.comm)[1];
}

static __always_inline bool task_sleeps(struct task_struct *task)
{
	return !task_is_on_cpu(task) && !task->on_rq;
}

/*
 * A task that sleeps is told in full once, not at each sweep until it wakes. One that waits for a CPU
 * may have a part of its wait in the figures already, which the next switch would miss.
 */
static __always_inline void complete_entry(struct abi_task *entry, const struct abi_living *living)
{
	entry->figures = living->figures;
	entry->check = abi_check(living->identity.start_ns, &living->figures);
	entry->is_partial = false;
}

/*
 * Every living task, at a sweep: it tells who lives, and completes what `tasks` can't know: tasks
 * that were evicted or have not switched since attaching, and what runs at this moment (as of the
 * last tick). A task that has set TASK_DEAD was or will be told by on_switch.
 */
SEC("iter/task")
int each_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct abi_living living;
	struct abi_task *entry;
	abi_task_key key;
	bool sleeps;

	if (!task || task_is_dead(task))
		return 0;
	key = task_key(task);
	entry = bpf_map_lookup_elem(&tasks, &key);
	if (entry && entry_says_it_all(entry, task)) {
		bpf_seq_write(ctx->meta->seq, &key, sizeof(key));
		return 0;
	}
	/* Before and after: one that leaves its CPU meanwhile has had more than was read. */
	sleeps = task_sleeps(task);
	living.current = 0;
	living.key = key;
	read_figures(task, &living.figures);
	read_identity(task, &living.identity);
	if (entry && is_current(entry, task)) {
		entry->identity = living.identity;
		if (sleeps && task_sleeps(task))
			complete_entry(entry, &living);
	}
	bpf_seq_write(ctx->meta->seq, &living, sizeof(living));
	return 0;
}

/*
 * Run once on each CPU after attaching (BPF_PROG_TEST_RUN with a CPU), so that the first switch
 * there knows what came before. Interrupts are off, as they are in on_switch.
 */
SEC("raw_tp")
int mark_cpu(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct abi_cpu *cpu = this_cpu();

	if (!cpu || cpu->incoming != ABI_INCOMING_UNKNOWN)
		return 0;
	cpu->incoming = BPF_CORE_READ(task, pid) ? task_key(task) : ABI_INCOMING_IDLE;
	cpu->incoming_run_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	/* The arrival of the one that runs is in it already; told by its next slice. */
	cpu->incoming_wait_ns = BPF_CORE_READ(task, sched_info.run_delay);
	return 0;
}
