/* SPDX-License-Identifier: MIT */
/*
 * pool.h - free frames of one range, one bit a frame; knows nothing of the kernel.
 */
#ifndef EXOS_POOL_H
#define EXOS_POOL_H

#include <exo/types.h>
#include <stdbool.h>

struct pool {
	uint64_t lo, hi;        /* pfn, [lo, hi) */
	uint64_t *bits;         /* bit n of the array: frame lo + n is free */
	uint64_t *words;        /* bit n: bits[n] is not 0 */
	uint64_t free;          /* bits set */
	uint64_t hint;          /* no bit is set in bits[0, hint) */
	exo_slot claim;         /* the FRAME claim that covers the range */
	bool closed;            /* for the allocator: it is asked for, so nothing is handed out */
};

/* Words of memory that pool_init needs for a range of this many frames. */
uint64_t pool_words(uint64_t frames);

/* All frames free; `memory` is pool_words(hi - lo) words. */
void pool_init(struct pool *pool, uint64_t lo, uint64_t hi, uint64_t *memory);

/*
 * Take `count` consecutive frames, the first a multiple of `align` (a power of two): the lowest
 * that fit, or with `high` the highest.  false: there are none.
 */
bool pool_take(struct pool *pool, uint64_t count, uint64_t align, bool high, uint64_t *pfn);

/*
 * Take some consecutive frames from the low end, at most `most` (1 to 64): how many, the first in
 * *pfn; 0: there are none.
 */
uint64_t pool_take_some(struct pool *pool, uint64_t most, uint64_t *pfn);

/* Take exactly [pfn, pfn + count); false, with nothing changed, if one is not free or not here. */
bool pool_take_at(struct pool *pool, uint64_t pfn, uint64_t count);

/* Give back; false, with nothing changed, if one of them is free already or not here. */
bool pool_give(struct pool *pool, uint64_t pfn, uint64_t count);

/* The longest run of free frames. */
uint64_t pool_longest(const struct pool *pool);

#endif
