/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the BPF programs of portable mode and user space, as abi.h is that of full
 * mode: for kernels without BTF.
 */
#ifndef SCHED_EXPORTER_BPF_PORTABLE_ABI_H
#define SCHED_EXPORTER_BPF_PORTABLE_ABI_H

#include "abi.h"

/* Key of the hash `usages`: a process, and one of the cgroups that its tasks ran in. */
struct portable_key {
	__u64 cgroup_id; /* inode number in the hierarchy v2 */
	__u32 tgid;
	__u32 pad;
};
ABI_ASSERT(sizeof(struct portable_key) == 16, "portable_key");

/* Since the entry was made; each figure only grows. */
struct portable_usage {
	__u64 born_ns; /* CLOCK_BOOTTIME of that; tells one entry of a key from the next */
	__u64 run_ns;  /* by the clock */
	__u64 timeslices;
	__u64 voluntary;
	__u64 involuntary;
	__u64 leader_ns; /* CLOCK_BOOTTIME when the leader left a CPU here last; 0: it never did */
	__u32 uid;	 /* real uid */
	__u32 pad;
	char comm[ABI_COMM_LEN]; /* of the leader, or of another thread as long as that never ran */
};
ABI_ASSERT(sizeof(struct portable_usage) == 72, "portable_usage");

enum portable_event_kind {
	PORTABLE_FORKED = 0,	     /* `tid` made the process `other` */
	PORTABLE_THREAD_STARTED = 1, /* `tid` made the thread `other` */
	PORTABLE_EXECUTED = 2,	     /* exec succeeded; before it the task was `other` */
	PORTABLE_ENDED = 3,	     /* the last switch of `tid` */
	PORTABLE_KINDS = 4,
};

struct portable_event {
	__u32 kind;
	__u32 tid;
	__u32 other;
	__u32 uid;
	__u64 time_ns; /* CLOCK_BOOTTIME */
	struct portable_key key;
	struct portable_usage usage; /* taken out of the hash; born_ns is 0 where there was none */
	char comm[ABI_COMM_LEN];     /* of the task */
};
ABI_ASSERT(sizeof(struct portable_event) == 128, "portable_event");

struct portable_exec_event {
	struct portable_event event;
	char file[ABI_FILE_LEN]; /* ended by NUL; may be cut */
};

/* What check_offsets() finds of the task that calls it. */
struct portable_check {
	__u64 run_ns;
	__u32 state;
	__u32 pid;
	__u32 tgid;
	__u32 pad;
};

/* One for each CPU; only its own CPU writes it. */
struct portable_cpu {
	__u64 task;	/* with offsets: the task that runs; 0: the first switch is to come */
	__u64 since_ns; /* up to which time is counted, of the clock or of that task's run time */
	__u64 busy_ns;	/* idle not counted */
	__u64 usages_full;	    /* timeslices that `usages` had no room for */
	__u64 paths_lost;	    /* names of new cgroups that `cgroup_paths` had no room for */
	__u64 lost[PORTABLE_KINDS]; /* events that `events` had no room for */
};

#endif
