/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the BPF programs and user space: every record that crosses the border.
 * Both sides include this header. Fixed-width types, explicit padding, sizes asserted.
 */
#ifndef SCHED_EXPORTER_BPF_ABI_H
#define SCHED_EXPORTER_BPF_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define ABI_ASSERT(cond, text) static_assert(cond, text)
#else
#define ABI_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define ABI_COMM_LEN 16
#define ABI_CGROUP_PATH_LEN 512
#define ABI_FILE_LEN 256       /* with its NUL */
#define ABI_MAX_ARGUMENTS 4096 /* most that the config may ask for */

/* Which hierarchy names a task's cgroup. */
enum abi_hierarchy {
	ABI_HIERARCHY_V2 = 0,
	ABI_HIERARCHY_CPU = 1,
	ABI_HIERARCHY_CPUACCT = 2,
};

/* What kind of map `events` is. */
enum abi_transport {
	ABI_TRANSPORT_RINGBUF = 0,
	ABI_TRANSPORT_PERFBUF = 1,
};

/* abi_cpu.incoming before the first switch, and while the CPU is idle. */
#define ABI_INCOMING_UNKNOWN 0
#define ABI_INCOMING_IDLE 1

/*
 * The address of a task_struct. It names a living task without doubt: unlike (pid, start time) it
 * does not change when a thread takes over its leader's pid and start time in exec (de_thread() in
 * fs/exec.c). The memory is used again after the task's death; `start_ns` then grows.
 */
typedef __u64 abi_task_key;

/*
 * What the kernel counts for a task, each since the task's birth, each only growing.
 * se.sum_exec_runtime is the figure behind /proc/PID/schedstat and cgroup accounting
 * (update_curr() and cgroup_account_cputime() in kernel/sched).
 */
struct abi_figures {
	__u64 run_ns;	   /* se.sum_exec_runtime */
	__u64 wait_ns;	   /* sched_info.run_delay: runnable, but not running */
	__u64 timeslices;  /* sched_info.pcount */
	__u64 voluntary;   /* nvcsw */
	__u64 involuntary; /* nivcsw */
	__u64 migrations;  /* se.nr_migrations */
	__u64 user_ns;	   /* utime, sampled by the tick */
	__u64 system_ns;   /* stime, sampled by the tick */
};
ABI_ASSERT(sizeof(struct abi_figures) == 64, "abi_figures");

/* Who a task is. */
struct abi_identity {
	__u64 start_ns;	       /* start_boottime of the task: CLOCK_BOOTTIME */
	__u64 leader_start_ns; /* start_boottime of its thread group's leader */
	__u64 cgroup_id;       /* inode number of its cgroup in the chosen hierarchy */
	__u64 css_set;	       /* task->cgroups: differs whenever the task was moved */
	__u64 cred;	       /* task->cred: differs whenever its uid was changed */
	__u32 pid;	       /* the task */
	__u32 tgid;	       /* the process */
	__u32 ppid;	       /* the parent process */
	__u32 uid;	       /* effective uid */
	__u32 kernel_thread;   /* 1 or 0 */
	__u32 pad;
	char comm[ABI_COMM_LEN]; /* of the thread group's leader: the process's name */
};
ABI_ASSERT(sizeof(struct abi_identity) == 80, "abi_identity");

/*
 * Value of the LRU hash `tasks`. The figures are written in place at each switch, so that a reader
 * may see half of a write, and an entry that the LRU gave to another task in that very moment may
 * be hit. `check` tells: it is abi_check() of the writer.
 */
struct abi_task {
	abi_task_key key;
	struct abi_identity identity;
	struct abi_figures figures;
	__u64 check;
	__u32 sweep; /* number of the sweep during which the entry was inserted */
	__u16 cpu; /* that the task left when the figures were written; it may remember newer ones */
	__u16 is_partial; /* of the figures only those of abi_recent_task are of that moment */
};
ABI_ASSERT(sizeof(struct abi_task) == 168, "abi_task");

static inline __attribute__((always_inline)) __u64 abi_check(__u64 start_ns,
							     const struct abi_figures *f)
{
	return start_ns + f->run_ns + f->wait_ns + f->timeslices + f->voluntary + f->involuntary +
	       f->migrations + f->user_ns + f->system_ns;
}

/* What a record in the buffer `events` tells. The task is that of `key` and `identity`. */
enum abi_event_kind {
	ABI_FINISHED = 1,	/* its last switch; the figures are final */
	ABI_MOVED = 2,		/* it changed from the cgroup of `origin` to its own */
	ABI_FORKED = 3,		/* a new process, started by the process of `origin` */
	ABI_THREAD_STARTED = 4, /* a new thread, started by the process of `origin` */
	ABI_EXECUTED = 5,	/* exec succeeded; struct abi_exec_event */
	ABI_EXEC_FAILED = 6,	/* exec failed with the errno `code`; struct abi_exec_event */
	ABI_EXITED = 7,		/* the last thread of a process exits with `code` */
	ABI_OOM_KILLED = 8,	/* the OOM killer chose it, and now it exits */
};

/* abi_event.code of ABI_EXITED: 0 to 255 as exit() got it, or this plus the signal's number. */
#define ABI_CODE_SIGNAL 256

/* Another process or cgroup that an event speaks of. */
struct abi_origin {
	__u64 cgroup_id;
	__u64 leader_start_ns;
	__u32 tgid;
	__u32 is_guess; /* ABI_MOVED: 1 where the cgroup is the parent's, for want of an entry */
	char comm[ABI_COMM_LEN]; /* of the thread group's leader */
};
ABI_ASSERT(sizeof(struct abi_origin) == 40, "abi_origin");

struct abi_event {
	__u32 kind;
	__u32 code;
	__u64 time_ns;	       /* CLOCK_BOOTTIME */
	__u64 released_run_ns; /* ABI_EXITED: signal->sum_sched_runtime */
	abi_task_key key;
	struct abi_origin origin;
	struct abi_identity identity;
	struct abi_figures figures; /* zeros where they say nothing */
};
ABI_ASSERT(sizeof(struct abi_event) == 216, "abi_event");

/* What exec got. After it follow `arguments_room` bytes, as many as the config asks for. */
struct abi_exec_event {
	struct abi_event event;
	__u32 file_bytes;      /* without the NUL; 0 where it could not be read */
	__u32 arguments_bytes; /* of the arguments, NUL after each */
	__u32 file_cut;
	__u32 arguments_cut;
	char file[ABI_FILE_LEN];
};
ABI_ASSERT(sizeof(struct abi_exec_event) == 488, "abi_exec_event");

/* Key and value of the hashes `sums_a` and `sums_b`: where finals go when `events` is full. */
struct abi_sum_key {
	__u64 cgroup_id;
	char comm[ABI_COMM_LEN];
};

struct abi_sum {
	struct abi_figures figures;
	__u64 tasks;
};

/*
 * Key and value of the hashes `counts_a` and `counts_b`: where all else that happens goes when
 * `events` is full.
 */
struct abi_count_key {
	__u64 cgroup_id;
	__u32 kind; /* enum abi_event_kind */
	__u32 code;
	char comm[ABI_COMM_LEN];
};
ABI_ASSERT(sizeof(struct abi_count_key) == 32, "abi_count_key");

/* Upper bounds of the buckets of process lifetimes, included; one more bucket is for the rest. */
#define ABI_LIFETIME_BOUNDS_MS                                                                     \
	{                                                                                          \
		1, 5, 10, 50, 100, 500, 1000, 5000, 10000, 60000, 300000, 1800000, 3600000,        \
			21600000, 86400000                                                         \
	}
#define ABI_LIFETIME_BOUNDS 15

struct abi_count {
	__u64 count;
	__u64 lifetime_ns; /* ABI_EXITED: the sum */
	__u64 lifetimes[ABI_LIFETIME_BOUNDS + 1];
};
ABI_ASSERT(sizeof(struct abi_count) == 144, "abi_count");

/*
 * Elements of the array `counts_other`, the last place: by kind and code, with neither cgroup nor
 * comm. Exits come first, one for each code.
 */
#define ABI_EXIT_CODES 384 /* 256 codes and 128 signals */
#define ABI_ERRNOS 256	   /* the last one stands for all above */
#define ABI_OTHER_EXEC_FAILED ABI_EXIT_CODES
#define ABI_OTHER_KINDS (ABI_EXIT_CODES + ABI_ERRNOS) /* then one for each other kind */
#define ABI_OTHER_SIZE (ABI_OTHER_KINDS + ABI_OOM_KILLED + 1)

/* One for each CPU; only its own CPU writes it. */
struct abi_cpu {
	abi_task_key incoming;	/* the task that took the CPU at the last switch */
	__u64 incoming_run_ns;	/* its run_ns then */
	__u64 incoming_wait_ns; /* its wait_ns then, without what this arrival adds */
	__u64 busy_ns;		/* finished slices since attaching, idle not counted */
	__u64 missed_switches;	/* outgoing task was not the one that came in */
	__u64 insert_failures;	/* `tasks` took no entry */
	__u64 finished_full;	/* finals that `events` had no room for */
	__u64 moves_lost;	/* moves that `events` had no room for */
	__u64 paths_lost;	/* names of new cgroups that `cgroup_paths` had no room for */
	struct abi_figures unattributed; /* finals that the sums had no room for either */
	__u64 unattributed_tasks;
	__u64 lifecycle_full;	  /* what else happened that `events` had no room for */
	__u64 counts_full;	  /* of these, those that the counts had no room for either */
	__u64 distributions_full; /* times that a cgroup found no place in `distributions` */
	__u64 pad[3];
};
ABI_ASSERT(sizeof(struct abi_cpu) == 192, "abi_cpu");

/*
 * What a CPU remembers of a task that has left it; see remembers() in accounting.bpf.h. One cache
 * line, and only what the next switch away from the task needs.
 */
struct abi_recent_task {
	__u64 start_ns;
	__u64 css_set;
	abi_task_key key;
	__u64 run_ns;
	__u64 wait_ns;
	__u64 timeslices;
	__u64 cgroup_id;     /* in whose distributions it is counted; 0: nobody's */
	__u32 distributions; /* their place in the map of that name */
	__u32 is_ahead;	     /* the entry in `tasks` has older figures */
};
ABI_ASSERT(sizeof(struct abi_recent_task) == 64, "abi_recent_task");

#define ABI_RECENT_TASKS 512 /* a power of two; 32 KiB for each CPU */

/* Element of the array `cpus`. Only the books are of interest to user space. */
struct abi_cpu_memory {
	struct abi_cpu books;
	struct abi_recent_task recent[ABI_RECENT_TASKS]; /* by pid */
};

/* Powers of two from 1 microsecond to 16.8 seconds, and one for what is longer. */
#define ABI_DURATION_BUCKETS 26

/*
 * Timeslices that ended in one cgroup on one CPU: how long each was, and the wait before it. Only
 * that CPU counts here. A count begins anew at 2^32, which takes hours; user space reads sooner.
 * What has 256 bytes is four cache lines, of which waits and slices up to 16 us need the first.
 */
struct abi_distributions {
	__u64 cgroup_id; /* 0: nobody's; user space sets that, too */
	__u64 wait_ns;	 /* sums */
	__u64 run_ns;
	struct {
		__u32 waits;
		__u32 slices;
	} buckets[ABI_DURATION_BUCKETS];
	__u64 pad[3];
};
ABI_ASSERT(sizeof(struct abi_distributions) == 256, "abi_distributions");

/*
 * The task iterator writes one of these for each living task: a key alone where the entry in
 * `tasks` says all there is to know, else a zero and what there is to know.
 */
struct abi_living {
	abi_task_key current; /* not 0: nothing else follows */
	abi_task_key key;
	struct abi_identity identity;
	struct abi_figures figures;
};
ABI_ASSERT(sizeof(struct abi_living) == 160, "abi_living");

/*
 * Counted up with every change of a record, of a map, or of what a program does that another version
 * of user space could not live with (tests/lint/layout.sh asks at each change).
 */
#define ABI_LAYOUT 1

#define ABI_VERSION_LEN 32

/*
 * The only element of the map `layout`, which is pinned beside the others: what they are, for an
 * exporter that finds them. The first two fields are these in all versions.
 */
struct abi_layout {
	__u32 layout;	/* ABI_LAYOUT */
	__u32 size;	/* of this record */
	__u64 instance; /* random; the file with the totals that go with these maps has it, too */
	__u32 cpu_count;
	__u32 tasks;
	__u32 events_bytes;
	__u32 sums;
	__u32 arguments_bytes;
	__u32 cgroups;
	__u32 distributions;
	__u32 exec_failures;
	__u32 hierarchy;
	__u32 hierarchy_id;
	char version[ABI_VERSION_LEN]; /* of the exporter that attached the programs */
};
ABI_ASSERT(sizeof(struct abi_layout) == 88, "abi_layout");

/* Value of the hash `cgroup_paths`, keyed by cgroup id: cgroups made since attaching. */
struct abi_cgroup_path {
	char path[ABI_CGROUP_PATH_LEN];
};

#endif
