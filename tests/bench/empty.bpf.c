// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The floor: what the kernel's own measuring of a program on sched_switch costs. */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sched_switch")
int empty(void *ctx)
{
	return 0;
}
