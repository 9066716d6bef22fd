// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Portable mode: classic tracepoints and the clock, for kernels without BTF. Nothing here reads a
 * struct of the kernel: a tracepoint tells its own fields, whose places user space reads in tracefs,
 * and helpers tell who is running.
 */
#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

#include "portable_abi.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Where tracefs says that the fields are, from the beginning of the record. */
const volatile __u32 at_prev_state;
const volatile __u32 at_child;
const volatile __u32 at_clone_flags;
const volatile __u32 at_old_pid;
const volatile __u32 at_filename;
const volatile __u32 at_root;
const volatile __u32 at_cgroup;
const volatile __u32 at_path;

/*
 * Offsets in struct task_struct, where user space has a file that tells them: CPU time then is the
 * kernel's own figure, as in full mode. 0: there is none.
 */
const volatile __u32 at_run;	  /* se.sum_exec_runtime */
const volatile __u32 at_prev_run; /* se.prev_sum_exec_runtime: that when the task was picked */
const volatile __u32 at_state;	  /* __state, before 5.14 state */
const volatile __u32 at_pid;
const volatile __u32 at_tgid;

const volatile __u32 events_bytes;

struct portable_check check;

/* States in prev_state (__trace_sched_switch_state() in include/trace/events/sched.h). */
#define STATES_SLEEPING 0xff /* else it is still runnable: it was preempted */
#define STATES_EXITED 0x30   /* EXIT_ZOMBIE, EXIT_DEAD */

#define TASK_DEAD 0x80	/* in task_struct's own state, since 4.14 */
#define STATE_MASK 0x7f /* TASK_REPORT in include/linux/sched.h */

#define CLONE_THREAD 0x00010000

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct portable_key);
	__type(value, struct portable_usage);
	__uint(max_entries, 1);
} usages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, struct portable_cpu);
	__uint(max_entries, 1);
} cpus SEC(".maps");

/* Cgroups made since attaching, by id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u64);
	__type(value, struct abi_cgroup_path);
	__uint(max_entries, 1);
} cgroup_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, struct abi_cgroup_path);
	__uint(max_entries, 1);
} path_room SEC(".maps");

/* Who runs: at a switch that is still the task that leaves. */
struct who {
	struct portable_key key;
	u32 tid;
};

static __always_inline struct who who_runs(void)
{
	u64 id = bpf_get_current_pid_tgid();
	struct who who = {};

	who.tid = (u32)id;
	who.key.tgid = id >> 32;
	if (who.tid)
		who.key.cgroup_id = bpf_get_current_cgroup_id();
	return who;
}

static __always_inline struct portable_cpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline u64 read_u64(u64 address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

static __always_inline u32 read_u32(u64 address)
{
	u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
	return value;
}

/* Run time of `task`, which is on this CPU, since it was last counted. */
static __always_inline u64 take_run_time(struct portable_cpu *cpu, u64 task)
{
	u64 run = read_u64(task + at_run);
	u64 since = cpu->since_ns;

	/* The task came in without an event; fair tasks tell what they had then. */
	if (cpu->task != task)
		since = cpu->task ? read_u64(task + at_prev_run) : run;
	cpu->task = task;
	cpu->since_ns = run;
	return run > since ? run - since : 0;
}

/* Time on this CPU since it was last counted. */
static __always_inline u64 take_time(struct portable_cpu *cpu)
{
	u64 now = bpf_ktime_get_ns();
	u64 since = cpu->since_ns;

	cpu->since_ns = now;
	return since && now > since ? now - since : 0;
}

static __always_inline struct portable_usage *usage_of(struct portable_cpu *cpu,
						       const struct who *who)
{
	struct portable_usage *usage = bpf_map_lookup_elem(&usages, &who->key);
	struct portable_usage fresh = {};

	if (usage)
		return usage;
	fresh.born_ns = bpf_ktime_get_boot_ns();
	fresh.uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(fresh.comm, sizeof(fresh.comm));
	bpf_map_update_elem(&usages, &who->key, &fresh, BPF_NOEXIST);
	usage = bpf_map_lookup_elem(&usages, &who->key);
	if (!usage)
		cpu->usages_full++;
	return usage;
}

static __always_inline u64 wakeup_flag(void)
{
	u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	return waiting >= events_bytes / 2 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void fill_event(struct portable_event *event, const struct who *who,
				       u32 kind, u32 other)
{
	event->kind = kind;
	event->tid = who->tid;
	event->other = other;
	event->uid = bpf_get_current_uid_gid();
	event->time_ns = bpf_ktime_get_boot_ns();
	event->key = who->key;
	event->usage.born_ns = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* What the process has used in this cgroup goes along with the event, so that entries of those that
 * end do not stay. Another thread that adds to it in this very moment adds to nothing: user space
 * finds that as busy time without an owner. */
static __always_inline void take_usage(struct portable_event *event, const struct who *who)
{
	/* Not by event->key: before 6.2 a key may not be in a record of a ring buffer. */
	struct portable_usage *usage = bpf_map_lookup_elem(&usages, &who->key);

	if (!usage)
		return;
	event->usage = *usage;
	bpf_map_delete_elem(&usages, &who->key);
}

static __always_inline void tell(struct portable_cpu *cpu, const struct who *who, u32 kind,
				 u32 other)
{
	struct portable_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		cpu->lost[kind]++;
		return;
	}
	fill_event(event, who, kind, other);
	if (kind == PORTABLE_ENDED)
		take_usage(event, who);
	bpf_ringbuf_submit(event, wakeup_flag());
}

static __always_inline void note_leader(struct portable_usage *usage, const struct who *who)
{
	if (who->tid != who->key.tgid)
		return;
	usage->leader_ns = bpf_ktime_get_boot_ns();
	usage->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(usage->comm, sizeof(usage->comm));
}

/* A timeslice of `ns` is over. */
static __always_inline void count_slice(struct portable_cpu *cpu, const struct who *who, u64 ns,
					bool sleeps, bool ends)
{
	struct portable_usage *usage;

	cpu->busy_ns += ns;
	usage = usage_of(cpu, who);
	if (usage) {
		__sync_fetch_and_add(&usage->run_ns, ns);
		__sync_fetch_and_add(&usage->timeslices, 1);
		if (sleeps)
			__sync_fetch_and_add(&usage->voluntary, 1);
		else
			__sync_fetch_and_add(&usage->involuntary, 1);
		note_leader(usage, who);
	}
	if (ends)
		tell(cpu, who, PORTABLE_ENDED, 0);
}

SEC("tp/sched/sched_switch")
int on_switch(void *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct who who = who_runs();
	u32 state = 0;
	u64 ns;

	if (!cpu)
		return 0;
	ns = take_time(cpu);
	if (!who.tid)
		return 0;
	bpf_probe_read_kernel(&state, sizeof(state), ctx + at_prev_state);
	count_slice(cpu, &who, ns, state & STATES_SLEEPING, state & STATES_EXITED);
	return 0;
}

/* The same where offsets are known: the kernel's figure instead of the clock. */
SEC("raw_tp/sched_switch")
int on_switch_raw(struct bpf_raw_tracepoint_args *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct who who = who_runs();
	bool preempted = ctx->args[0];
	u64 prev = ctx->args[1], next = ctx->args[2];
	u32 state;
	u64 ns;

	if (!cpu)
		return 0;
	ns = take_run_time(cpu, prev);
	cpu->task = next;
	cpu->since_ns = read_u64(next + at_run);
	if (!who.tid)
		return 0;
	state = read_u32(prev + at_state);
	count_slice(cpu, &who, ns, !preempted && (state & (STATE_MASK | TASK_DEAD)),
		    state & TASK_DEAD);
	return 0;
}

/* Run by user space on its own CPU: what the offsets tell of itself. */
SEC("raw_tp")
int check_offsets(void *ctx)
{
	u64 task = bpf_get_current_task();

	check.run_ns = read_u64(task + at_run);
	check.state = read_u32(task + at_state);
	check.pid = read_u32(task + at_pid);
	check.tgid = read_u32(task + at_tgid);
	return 0;
}

/* Run by user space on each CPU at each sweep: counts what runs there until now. */
SEC("raw_tp")
int count_running(void *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct who who = who_runs();
	struct portable_usage *usage;
	u64 ns;

	if (!cpu)
		return 0;
	ns = at_run ? take_run_time(cpu, bpf_get_current_task()) : take_time(cpu);
	if (!who.tid)
		return 0;
	cpu->busy_ns += ns;
	usage = usage_of(cpu, &who);
	if (usage)
		__sync_fetch_and_add(&usage->run_ns, ns);
	return 0;
}

/* Unlike sched_process_fork it tells whether the new task is a process or a thread. */
SEC("tp/task/task_newtask")
int on_newtask(void *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct who who = who_runs();
	u64 flags = 0;
	u32 child = 0;

	if (!cpu)
		return 0;
	bpf_probe_read_kernel(&child, sizeof(child), ctx + at_child);
	bpf_probe_read_kernel(&flags, sizeof(flags), ctx + at_clone_flags);
	tell(cpu, &who, flags & CLONE_THREAD ? PORTABLE_THREAD_STARTED : PORTABLE_FORKED, child);
	return 0;
}

SEC("tp/sched/sched_process_exec")
int on_exec(void *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct who who = who_runs();
	struct portable_exec_event *event;
	u32 old_pid = 0, place = 0;

	if (!cpu)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		cpu->lost[PORTABLE_EXECUTED]++;
		return 0;
	}
	bpf_probe_read_kernel(&old_pid, sizeof(old_pid), ctx + at_old_pid);
	bpf_probe_read_kernel(&place, sizeof(place), ctx + at_filename);
	fill_event(&event->event, &who, PORTABLE_EXECUTED, old_pid);
	take_usage(&event->event, &who);
	event->file[0] = '\0';
	/* The lower half is the offset of a __data_loc. */
	bpf_probe_read_kernel_str(event->file, sizeof(event->file), ctx + (place & 0xffff));
	bpf_ringbuf_submit(event, wakeup_flag());
	return 0;
}

/* A cgroup of v2, whose hierarchy has the number 0, gets its name while it is there. */
SEC("tp/cgroup/cgroup_mkdir")
int on_mkdir(void *ctx)
{
	struct portable_cpu *cpu = this_cpu();
	struct abi_cgroup_path *room;
	u32 zero = 0, place;
	u64 id;

	if (!cpu || read_u32((u64)ctx + at_root))
		return 0;
	room = bpf_map_lookup_elem(&path_room, &zero);
	if (!room)
		return 0;
	id = read_u64((u64)ctx + at_cgroup);
	place = read_u32((u64)ctx + at_path) & 0xffff;
	bpf_probe_read_kernel_str(room->path, sizeof(room->path), ctx + place);
	if (bpf_map_update_elem(&cgroup_paths, &id, room, BPF_ANY))
		cpu->paths_lost++;
	return 0;
}
