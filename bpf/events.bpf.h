/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The way out for what user space must not miss. Three places, the next one where the one before is
 * full: the buffer `events`; sums and counts by cgroup and comm; totals without a name.
 */
#ifndef SCHED_EXPORTER_BPF_EVENTS_BPF_H
#define SCHED_EXPORTER_BPF_EVENTS_BPF_H

#include "abi.h"
#include "maps.bpf.h"
#include <linux/errno.h>

/* Nobody waits for a single record; the reader is called when the buffer is half full. */
static __always_inline u64 ringbuf_flags(void)
{
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > events_bytes / 2)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* Sends a record of `size` bytes; false where there is no room. */
static __always_inline bool send_record(void *ctx, void *record, u64 size)
{
	if (transport == ABI_TRANSPORT_PERFBUF)
		return !bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, record, size);
	return !bpf_ringbuf_output(&events, record, size, ringbuf_flags());
}

static __always_inline bool send_event(void *ctx, struct abi_event *event, u32 kind)
{
	event->kind = kind;
	event->time_ns = bpf_ktime_get_boot_ns();
	return send_record(ctx, event, sizeof(*event));
}

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

static __always_inline bool add_to_sums(void *map, const struct abi_sum_key *key,
					const struct abi_figures *figures)
{
	static const struct abi_sum zero;
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

/* A final that `events` had no room for. */
static __always_inline void keep_in_sums(struct abi_cpu *cpu, const struct abi_identity *id,
					 const struct abi_figures *figures)
{
	struct abi_sum_key key = {};
	bool kept;

	cpu->finished_full++;
	key.cgroup_id = id->cgroup_id;
	__builtin_memcpy(key.comm, id->comm, sizeof(key.comm));
	if (sums_turn & 1)
		kept = add_to_sums(&sums_b, &key, figures);
	else
		kept = add_to_sums(&sums_a, &key, figures);
	if (kept)
		return;
	add_figures(&cpu->unattributed, figures);
	cpu->unattributed_tasks++;
}

/* The bucket of a lifetime: the first one whose bound is not below it. */
static __always_inline u32 lifetime_bucket(u64 lifetime_ns)
{
	static const u64 bounds_ms[] = ABI_LIFETIME_BOUNDS_MS;
	u32 bucket = 0;
	u32 i;

#pragma unroll
	for (i = 0; i < ABI_LIFETIME_BOUNDS; i++)
		bucket += lifetime_ns > bounds_ms[i] * 1000000;
	return bucket;
}

static __always_inline void add_count(struct abi_count *count, u32 kind, u64 lifetime_ns)
{
	u32 bucket = lifetime_bucket(lifetime_ns);

	if (kind == ABI_EXITED && bucket <= ABI_LIFETIME_BOUNDS) {
		__sync_fetch_and_add(&count->lifetimes[bucket], 1);
		__sync_fetch_and_add(&count->lifetime_ns, lifetime_ns);
	}
	/* Last: a reader that sees it has seen the lifetime, or will look again. */
	__sync_fetch_and_add(&count->count, 1);
}

static __always_inline bool add_to_counts(void *map, const struct abi_count_key *key,
					  u64 lifetime_ns)
{
	static const struct abi_count zero;
	struct abi_count *count = bpf_map_lookup_elem(map, key);

	if (!count) {
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(map, key);
	}
	if (!count)
		return false;
	add_count(count, key->kind, lifetime_ns);
	return true;
}

static __always_inline u32 place_in_counts_other(u32 kind, u32 code)
{
	if (kind == ABI_EXITED)
		return code;
	if (kind == ABI_EXEC_FAILED)
		return ABI_OTHER_EXEC_FAILED + (code < ABI_ERRNOS ? code : ABI_ERRNOS - 1);
	return ABI_OTHER_KINDS + kind;
}

/* Something other than a final that `events` had no room for. */
static __noinline int keep_in_counts(u32 kind, u32 code, const struct abi_count_key *owner,
				     u64 lifetime_ns)
{
	struct abi_cpu *cpu = this_cpu();
	struct abi_count_key key = {};
	struct abi_count *other;
	bool kept;
	u32 place;

	if (!cpu || !owner)
		return 0;
	__sync_fetch_and_add(&cpu->lifecycle_full, 1);
	key = *owner;
	key.kind = kind;
	key.code = code;
	if (sums_turn & 1)
		kept = add_to_counts(&counts_b, &key, lifetime_ns);
	else
		kept = add_to_counts(&counts_a, &key, lifetime_ns);
	if (kept)
		return 0;
	__sync_fetch_and_add(&cpu->counts_full, 1);
	place = place_in_counts_other(kind, code);
	other = bpf_map_lookup_elem(&counts_other, &place);
	if (other)
		add_count(other, kind, lifetime_ns);
	return 0;
}

#endif
