/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The way out for what user space must not miss: the final figures of a task, and its figures at
 * the moment of a move to another cgroup. Three places, the next one where the one before is full:
 * the ring buffer, the sums by cgroup and comm, the CPU's own unattributed total.
 */
#ifndef SCHED_EXPORTER_BPF_FINISHED_BPF_H
#define SCHED_EXPORTER_BPF_FINISHED_BPF_H

#include "abi.h"
#include "maps.bpf.h"

static __always_inline void add_figures(struct abi_figures *to, const struct abi_figures *from)
{
	__sync_fetch_and_add(&to->run_ns, from->run_ns);
	__sync_fetch_and_add(&to->wait_ns, from->wait_ns);
	__sync_fetch_and_add(&to->timeslices, from->timeslices);
	__sync_fetch_and_add(&to->voluntary, from->voluntary);
	__sync_fetch_and_add(&to->involuntary, from->involuntary);
	__sync_fetch_and_add(&to->migrations, from->migrations);
	__sync_fetch_and_add(&to->user_ns, from->user_ns);
	__sync_fetch_and_add(&to->system_ns, from->system_ns);
}

static __always_inline bool send_event(u32 kind, u64 from_cgroup_id, bool from_is_guess,
				       abi_task_key key, const struct abi_identity *id,
				       const struct abi_figures *figures)
{
	struct abi_event *event = bpf_ringbuf_reserve(&finished, sizeof(*event), 0);
	u64 flags = BPF_RB_NO_WAKEUP;

	if (!event)
		return false;
	event->kind = kind;
	event->from_is_guess = from_is_guess;
	event->from_cgroup_id = from_cgroup_id;
	event->key = key;
	event->identity = *id;
	event->figures = *figures;
	/* Nobody waits for a single record; the reader is called when the buffer is half full. */
	if (bpf_ringbuf_query(&finished, BPF_RB_AVAIL_DATA) * 2 >
	    bpf_ringbuf_query(&finished, BPF_RB_RING_SIZE))
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(event, flags);
	return true;
}

static __always_inline bool add_to_sums(void *map, const struct abi_sum_key *key,
					const struct abi_figures *figures)
{
	struct abi_sum zero = {};
	struct abi_sum *sum = bpf_map_lookup_elem(map, key);

	if (!sum) {
		/* A failure is either a full map or another CPU that was faster; look again. */
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(map, key);
	}
	if (!sum)
		return false;
	add_figures(&sum->figures, figures);
	__sync_fetch_and_add(&sum->tasks, 1);
	return true;
}

static __always_inline void keep_in_sums(struct abi_cpu *cpu, const struct abi_identity *id,
					 const struct abi_figures *figures)
{
	struct abi_sum_key key = {};
	bool kept;

	cpu->finished_full++;
	key.cgroup_id = id->cgroup_id;
	__builtin_memcpy(key.comm, id->comm, sizeof(key.comm));
	if (active_sums)
		kept = add_to_sums(&sums_b, &key, figures);
	else
		kept = add_to_sums(&sums_a, &key, figures);
	if (kept)
		return;
	add_figures(&cpu->unattributed, figures);
	cpu->unattributed_tasks++;
}

#endif
