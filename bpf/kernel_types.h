/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel structs that the programs read, with only the fields that they read. libbpf
 * relocates each access against the running kernel's BTF (CO-RE), so neither order nor offsets
 * matter here, and the build machine needs no BTF.
 */
#ifndef SCHED_EXPORTER_BPF_KERNEL_TYPES_H
#define SCHED_EXPORTER_BPF_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sched_entity {
	u64 sum_exec_runtime;
	u64 prev_sum_exec_runtime;
	u64 nr_migrations;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
};

struct kernfs_node {
	u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
	unsigned int flags;
	unsigned group_exit_code;
	unsigned long long sum_sched_runtime; /* of released threads */
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx;
	unsigned long cx;
	unsigned long di;
	unsigned long si;
};
#else
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
};
#endif

struct linux_binprm {
	const char *filename;
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	unsigned int on_cpu; /* unsigned: libbpf adapts the size, which changed in 7.x */
	unsigned int on_rq;  /* the same */
	unsigned int pid;
	unsigned int tgid;
	int prio;
	struct sched_entity se;
	struct sched_info sched_info;
	unsigned long nvcsw;
	unsigned long nivcsw;
	u64 utime;
	u64 stime;
	u64 start_boottime;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *cred;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct mm_struct *mm;
	unsigned exit_code;
	unsigned long self_exec_id; /* of 32 bits before 5.7 */
	struct sigpending pending;
	char comm[16];
};

/* Before 5.14 the field was `state`. */
struct task_struct___before_5_14 {
	long state;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

enum cgroup_subsys_id {
	cpu_cgrp_id = 1,
	cpuacct_cgrp_id = 2,
};

#pragma clang attribute pop

#define TASK_DEAD 0x80	      /* include/linux/sched.h, unchanged since 4.14 */
#define MAX_RT_PRIO 100	      /* include/linux/sched/prio.h: below are the real-time classes */
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define PF_EXITING 0x00000004 /* include/linux/sched.h */
#define SIGKILL 9
#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

#endif
