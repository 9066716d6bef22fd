/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What happens in the lives of processes: fork, exec, exit, OOM kill. Each is told by one event, or
 * counted by cgroup and comm where the buffer has no room, never both.
 */
#ifndef SCHED_EXPORTER_BPF_LIFECYCLE_BPF_H
#define SCHED_EXPORTER_BPF_LIFECYCLE_BPF_H

#include "accounting.bpf.h"
#include "events.bpf.h"

/*
 * The kernel leaves a program out where the same one is at work on the same CPU, interrupted by the
 * task that would run it: tracepoints from 6.19 on and the ends of functions can be preempted (seen
 * with 7.2: up to 10 of 170 forks). So there are two programs for each, in no certain order: the one
 * that comes first tells and leaves its mark, the other one takes the mark away. Who meets its own
 * mark knows that the other one was left out the last time.
 */
static __always_inline bool is_first_to_tell(u64 task, u64 start, u64 kind, u32 program)
{
	struct told_key key = {task, start, kind};
	u32 *mark;

	if (!bpf_map_update_elem(&told, &key, &program, BPF_NOEXIST))
		return true;
	mark = bpf_map_lookup_elem(&told, &key);
	/* Without room for a mark it is the task of one of them. */
	if (!mark)
		return program == 2;
	if (*mark == program)
		return true;
	bpf_map_delete_elem(&told, &key);
	return false;
}

/* Tells an exec from the task's one before. */
static __always_inline u64 exec_number(struct task_struct *task)
{
	return task->start_boottime + task->self_exec_id;
}

static __always_inline void keep(const struct abi_event *event, u32 kind, u64 cgroup_id,
				 const char *comm, u64 lifetime_ns)
{
	struct abi_count_key owner = {};

	owner.cgroup_id = cgroup_id;
	__builtin_memcpy(owner.comm, comm, sizeof(owner.comm));
	keep_in_counts(kind, event->code, &owner, lifetime_ns);
}

/* Sends the event of a process; counts it for that process where there is no room. */
static __always_inline void tell(void *ctx, struct abi_event *event, u32 kind)
{
	if (!send_event(ctx, event, kind))
		keep(event, kind, event->identity.cgroup_id, event->identity.comm,
		     event->time_ns - event->identity.leader_start_ns);
}

/* kernel_clone() in kernel/fork.c: once for each new task, before it runs. */
static __always_inline void tell_fork(void *ctx, struct task_struct *parent,
				      struct task_struct *child)
{
	u32 kind = child->pid == child->tgid ? ABI_FORKED : ABI_THREAD_STARTED;
	struct task_struct *leader = parent->group_leader;
	struct abi_event event = {};

	event.key = task_key(child);
	read_identity(child, &event.identity);
	event.origin.cgroup_id = cgroup_id_of(parent->cgroups);
	event.origin.leader_start_ns = leader->start_boottime;
	event.origin.tgid = parent->tgid;
	copy_comm(event.origin.comm, leader->comm);
	if (!send_event(ctx, &event, kind))
		keep(&event, kind, event.origin.cgroup_id, event.origin.comm, 0);
}

/*
 * True for one thread of a process, the last one to begin its exit. Kernels that don't tell take
 * signal->live for it, which another thread may see as 0, too, that went down just before: do_exit()
 * in kernel/exit.c counts down and calls the tracepoint later. Then the first to come here is it.
 */
static __always_inline bool is_last_thread(const u64 *args, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct exiting_key key = {};
	u32 one = 1;
	int error;

	if (exit_tells_group_dead)
		return args[1] & 1;
	if (signal->live.counter)
		return false;
	key.signal = (u64)signal;
	key.leader_start_ns = task->group_leader->start_boottime;
	/* int: before 6.4 the upper half of the result is not set. */
	error = bpf_map_update_elem(&exiting, &key, &one, BPF_NOEXIST);
	return error != -EEXIST;
}

/* What wait() will tell the parent: wait_task_zombie() in kernel/exit.c. */
static __always_inline u32 exit_code(struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	u32 status;

	/* Kernel threads return what they like. */
	if (task->flags & PF_KTHREAD)
		return 0;
	if (signal->flags & SIGNAL_GROUP_EXIT)
		status = signal->group_exit_code;
	else
		status = task->group_leader->exit_code;
	if (status & 0x7f)
		return ABI_CODE_SIGNAL + (status & 0x7f);
	return status >> 8 & 0xff;
}

/* A thread that mark_oom_victim() in mm/oom_kill.c has chosen takes the whole process with it. */
static __always_inline bool was_oom_victim(struct task_struct *task)
{
	u32 pid = task->pid;

	if (!oom_pending || bpf_map_delete_elem(&oom_victims, &pid))
		return false;
	__sync_fetch_and_add(&oom_pending, -1);
	return true;
}

/* do_exit() in kernel/exit.c: once for each task. */
static __always_inline void tell_exit(void *ctx, struct task_struct *task)
{
	bool oom_killed = was_oom_victim(task);
	bool last = is_last_thread(ctx, task);
	struct abi_event event = {};

	if (!oom_killed && !last)
		return;
	event.key = task_key(task);
	read_identity(task, &event.identity);
	read_figures(task, &event.figures);
	if (oom_killed)
		tell(ctx, &event, ABI_OOM_KILLED);
	if (!last)
		return;
	event.code = exit_code(task);
	event.released_run_ns = task->signal->sum_sched_runtime;
	tell(ctx, &event, ABI_EXITED);
}

/* mark_oom_victim() of a kernel that tells only the pid: its exit tells the rest. */
static __always_inline void note_oom_victim(u32 pid)
{
	struct abi_count_key nobody = {};
	u32 one = 1;

	__sync_fetch_and_add(&oom_pending, 1);
	if (!bpf_map_update_elem(&oom_victims, &pid, &one, BPF_NOEXIST))
		return;
	__sync_fetch_and_add(&oom_pending, -1);
	keep_in_counts(ABI_OOM_KILLED, 0, &nobody, 0);
}

/* mark_oom_victim() in mm/oom_kill.c: once for each task. Who is on the way out needs no killer. */
static __always_inline void tell_oom_victim(void *ctx, struct task_struct *task)
{
	struct abi_event event = {};

	if (task->flags & PF_EXITING)
		return;
	event.key = task_key(task);
	read_identity(task, &event.identity);
	read_figures(task, &event.figures);
	tell(ctx, &event, ABI_OOM_KILLED);
}

/* The path that exec got, in kernel memory or in the caller's. */
static __always_inline void read_file(struct abi_exec_event *exec, const char *file, bool user)
{
	long bytes;

	if (user)
		bytes = bpf_probe_read_user_str(exec->file, sizeof(exec->file), file);
	else
		bytes = bpf_probe_read_kernel_str(exec->file, sizeof(exec->file), file);
	exec->file_bytes = bytes > 0 ? bytes - 1 : 0;
	exec->file_cut = bytes == sizeof(exec->file);
}

/* The start of the command line, from the new stack: exec has just put it there. */
static __always_inline void read_arguments(struct abi_exec_event *exec, struct mm_struct *mm)
{
	u64 bytes;

	exec->arguments_bytes = 0;
	exec->arguments_cut = 0;
	if (!arguments_room)
		return;
	bytes = mm->arg_end - mm->arg_start;
	if (bytes > arguments_room) {
		bytes = arguments_room;
		exec->arguments_cut = 1;
	}
	if (bytes > ABI_MAX_ARGUMENTS) /* for the verifier */
		return;
	if (bpf_probe_read_user(exec + 1, bytes, (const void *)mm->arg_start))
		exec->arguments_cut = 1;
	else
		exec->arguments_bytes = bytes;
}

/* Room for an exec record: in the ring buffer, or where it is put together for a perf buffer. */
static __always_inline struct abi_exec_event *reserve_exec(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct exec_scratch *place;

	if (transport == ABI_TRANSPORT_RINGBUF)
		return bpf_ringbuf_reserve(&events, sizeof(struct abi_exec_event) + arguments_room,
					   0);
	place = bpf_map_lookup_elem(&scratch, &cpu);
	/* Another task may have been interrupted while it used this; rare, and the event is counted. */
	if (!place || place->busy)
		return NULL;
	place->busy = 1;
	return &place->record;
}

static __always_inline void send_exec(void *ctx, struct abi_exec_event *exec)
{
	struct exec_scratch *place;

	if (transport == ABI_TRANSPORT_RINGBUF) {
		bpf_ringbuf_submit(exec, ringbuf_flags());
		return;
	}
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, exec,
				  sizeof(*exec) + arguments_room))
		keep(&exec->event, exec->event.kind, exec->event.identity.cgroup_id,
		     exec->event.identity.comm, 0);
	place = container_of(exec, struct exec_scratch, record);
	place->busy = 0;
}

static __always_inline void begin_exec(struct abi_exec_event *exec, const struct abi_event *event,
				       u32 kind)
{
	exec->event = *event;
	exec->event.kind = kind;
	exec->event.time_ns = bpf_ktime_get_boot_ns();
	exec->arguments_bytes = 0;
	exec->arguments_cut = 0;
}

/* exec_binprm() in fs/exec.c: after it succeeded; a script's interpreter is not told again. */
static __always_inline void tell_exec(void *ctx, struct task_struct *task,
				      struct linux_binprm *bprm)
{
	struct abi_exec_event *exec;
	struct abi_event event = {};

	event.key = task_key(task);
	read_identity(task, &event.identity);
	read_figures(task, &event.figures);
	exec = reserve_exec();
	if (!exec) {
		keep(&event, ABI_EXECUTED, event.identity.cgroup_id, event.identity.comm, 0);
		return;
	}
	begin_exec(exec, &event, ABI_EXECUTED);
	read_file(exec, bprm->filename, false);
	read_arguments(exec, task->mm);
	send_exec(ctx, exec);
}

/*
 * True where the result of a failed exec goes back to its caller: not where a signal has the call
 * done once more (ERESTARTSYS to ERESTART_RESTARTBLOCK in include/linux/errno.h), nor where the
 * caller is being killed, by another thread's exec for one.
 */
static __always_inline bool fails_for_its_caller(long result)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (result >= 0 || (result <= -512 && result >= -516))
		return false;
	return !(BPF_CORE_READ(task, pending.signal.sig[0]) & 1UL << (SIGKILL - 1));
}

/* The end of execve() or execveat() that failed; `file` is the caller's, NULL where not known. */
static __always_inline void tell_exec_failure(void *ctx, long error, const char *file)
{
	struct abi_exec_event *exec;
	struct abi_event event = {};

	event.code = -error;
	read_current_identity(&event.identity);
	exec = reserve_exec();
	if (!exec) {
		keep(&event, ABI_EXEC_FAILED, event.identity.cgroup_id, event.identity.comm, 0);
		return;
	}
	begin_exec(exec, &event, ABI_EXEC_FAILED);
	read_file(exec, file, true);
	send_exec(ctx, exec);
}

#endif
