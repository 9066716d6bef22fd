/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One getter for each thing that differs between kernels. */
#ifndef SCHED_EXPORTER_BPF_COMPAT_BPF_H
#define SCHED_EXPORTER_BPF_COMPAT_BPF_H

#include "kernel_types.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* task_struct.state became __state in 5.14. */
static __always_inline bool task_is_dead(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return task->__state & TASK_DEAD;
	return ((struct task_struct___before_5_14 *)task)->state & TASK_DEAD;
}

/* on_cpu exists with CONFIG_SMP only (before 6.17); without it the task at hand is the only one. */
static __always_inline bool task_is_on_cpu(struct task_struct *task)
{
	if (bpf_core_field_exists(task->on_cpu))
		return task->on_cpu;
	return bpf_get_current_task() == (u64)task;
}

/* sched_info has content only with CONFIG_SCHED_INFO. */
static __always_inline u64 task_wait_ns(struct task_struct *task)
{
	if (bpf_core_field_exists(task->sched_info.run_delay))
		return task->sched_info.run_delay;
	return 0;
}

static __always_inline u64 task_timeslices(struct task_struct *task)
{
	if (bpf_core_field_exists(task->sched_info.pcount))
		return task->sched_info.pcount;
	return 0;
}

/*
 * The first (0) or second (1) argument of a system call, a pointer, from the registers that its
 * function was given: arch/x86/include/asm/syscall_wrapper.h, and the same for arm64.
 */
static __always_inline const char *syscall_pointer(struct pt_regs *regs, bool is_32_bit,
						   u32 argument)
{
#if defined(__TARGET_ARCH_x86)
	if (is_32_bit)
		return (const char *)(u64)(u32)(argument ? BPF_CORE_READ(regs, cx)
							 : BPF_CORE_READ(regs, bx));
	return (const char *)(argument ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, di));
#else
	return (const char *)(argument ? BPF_CORE_READ(regs, regs[1])
				       : BPF_CORE_READ(regs, orig_x0));
#endif
}

#endif
