/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From a length of time to its bucket in a distribution. */
#ifndef SCHED_EXPORTER_BPF_BUCKETS_BPF_H
#define SCHED_EXPORTER_BPF_BUCKETS_BPF_H

#include "abi.h"
#include "kernel_types.h"

/* How many bits a number below 256 has. */
static const u8 bits_of[256] = {
	0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
	6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
};

/* Longer than all bounds: 2^24 us. */
#define LONGEST_NS 16777216000ULL

/*
 * The bucket whose bound, 1 us << bucket, is the first that is not less than `ns`: the number of
 * bits that (ns - 1) / 1000 has. Division by 1000 is one by 8 and a multiplication; for less than
 * 2^34 that is exact.
 */
static __always_inline u32 duration_bucket(u64 ns)
{
	u64 us;

	if (ns <= 1000)
		return 0;
	if (ns > LONGEST_NS)
		return ABI_DURATION_BUCKETS - 1;
	us = (((ns - 1) >> 3) * 2199023256ULL) >> 38;
	if (us < 256)
		return bits_of[us & 255];
	if (us < 65536)
		return bits_of[(us >> 8) & 255] + 8;
	return bits_of[(us >> 16) & 255] + 16;
}

#endif
