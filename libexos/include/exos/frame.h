/* SPDX-License-Identifier: MIT */
/*
 * frame.h - page frames of the program's own FRAME claims.
 *
 * Frames come from the claims named `memory` (of the first program: the RAM it was left with).  A
 * frame handed out is not zeroed and not mapped; whoever gives one back has unmapped it and ended
 * the objects made of it.
 *
 * Invariant: the allocator's own memory is always mapped: it never faults.
 */
#ifndef EXOS_FRAME_H
#define EXOS_FRAME_H

#include <exo/types.h>
#include <stdbool.h>

/*
 * `count` consecutive frames: the first in *pfn, and in *claim the claim that covers them all,
 * for mapping, narrowing and retyping.  0, or -EXO_E_ROOM.  Single frames come from the low end
 * of memory, runs of 64 and more from the high end.  Where there is no room, pages of regions that
 * can be rebuilt are given up first (exos/pager.h).
 */
int exos_frame_alloc(uint64_t count, uint64_t *pfn, exo_slot *claim);

/* The same, with the first frame a multiple of `align` (a power of two). */
int exos_frame_alloc_aligned(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim);

/* Give back [pfn, pfn + count). Frames that were not handed out are a panic (a double free). */
void exos_frame_free(uint64_t pfn, uint64_t count);

/* The claim that covers a frame of the allocator, or 0. */
exo_slot exos_frame_claim(uint64_t pfn);

/*
 * Let the allocator use [lo, hi) of a FRAME claim too, from now on: 0; -EXO_E_ARG for an empty
 * range or one that overlaps what it has; -EXO_E_ROOM.
 */
int exos_frame_add(exo_slot claim, uint64_t lo, uint64_t hi);

/*
 * Take a claim's range out of the allocator, to give it up: -EXO_E_BUSY while any frame of it is
 * handed out.
 */
int exos_frame_remove(exo_slot claim);

struct exos_frame_stats {
	uint64_t total, free;   /* frames */
	uint64_t largest;       /* longest free run */
	uint64_t claims;
};
void exos_frame_stats(struct exos_frame_stats *stats);
/* Is more than an eighth of all free?  For who takes memory only while it is not needed. */
bool exos_frame_plenty(void);

/* How frames are chosen; a program may install another. Called with the core lock held. */
struct exos_frame_ops {
	int  (*alloc)(uint64_t count, uint64_t align, uint64_t *pfn, exo_slot *claim);
	void (*free)(uint64_t pfn, uint64_t count);
};
extern const struct exos_frame_ops exos_frame_default;
/* NULL: the default again. */
void exos_frame_ops_set(const struct exos_frame_ops *ops);

#endif
