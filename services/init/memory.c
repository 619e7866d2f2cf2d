/* SPDX-License-Identifier: MIT */
/*
 * memory.c - nearly all memory for one program: init keeps a little for itself and the console.
 *
 * The largest run of frames becomes the program's own memory (exos_spawn takes it); claims that
 * init uses nothing of go to it whole.
 */
#include <exos/cap.h>
#include <exos/frame.h>

#include "init.h"

#define KEPT_FRAMES 384u        /* for init's own page tables, and a console started again */
#define LENT_MAX    64u

static struct lent {
	exo_slot slot;
	uint64_t lo, hi;
} lent[LENT_MAX];
static uint32_t lents;

/* The largest `memory` claim stays in the allocator. */
static exo_slot memory_largest(void)
{
	const struct exos_grant *g, *best = exos_grant("memory", 0);

	for (unsigned n = 1; (g = exos_grant("memory", n)) != NULL; n++)
		if (g->hi - g->lo > best->hi - best->lo)
			best = g;
	return best->slot;
}

uint64_t memory_lend(struct exos_spawn_grant *out, uint32_t *count, uint32_t room)
{
	const exo_slot largest = memory_largest();
	struct exos_frame_stats stats;
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("memory", n)) != NULL; n++) {
		if (g->slot == largest || lents == LENT_MAX || *count == room)
			continue;
		if (exos_frame_remove(g->slot) < 0)
			continue;       /* init's own frames lie in it */
		lent[lents++] = (struct lent){ g->slot, g->lo, g->hi };
		out[(*count)++] = (struct exos_spawn_grant){
			.name = "memory", .slot = g->slot,
			.rights = EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE,
		};
	}
	exos_frame_stats(&stats);
	if (stats.free - stats.largest >= KEPT_FRAMES)
		return stats.largest;   /* the rest is enough for init */
	return stats.largest > 2 * KEPT_FRAMES ? stats.largest - KEPT_FRAMES : stats.largest / 2;
}

void memory_back(void)
{
	while (lents > 0) {
		lents--;
		exos_cap_revoke(lent[lents].slot);
		exos_frame_add(lent[lents].slot, lent[lents].lo, lent[lents].hi);
	}
}
