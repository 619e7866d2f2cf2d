/* SPDX-License-Identifier: MIT */
/*
 * memory.c - nearly all memory for one program: init keeps a little for itself and the services.
 *
 * The largest claim is shared by init, the services and the program, whose own memory becomes the
 * largest run of frames left in it (exos_spawn takes it); the other claims go to it whole.
 */
#include <exos/cap.h>
#include <exos/frame.h>

#include "init.h"

#define KEPT_FRAMES 192u        /* for init's own page tables */
#define WHOLE_MAX   64u

/* Claims that init and the services use nothing of. */
static exo_slot whole[WHOLE_MAX];
static uint32_t wholes;

/* The largest `memory` claim stays in the allocator. */
static exo_slot memory_largest(void)
{
	const struct exos_grant *g, *best = exos_grant("memory", 0);

	for (unsigned n = 1; (g = exos_grant("memory", n)) != NULL; n++)
		if (g->hi - g->lo > best->hi - best->lo)
			best = g;
	return best->slot;
}

/* Before any service gets memory: it would come from any of them. */
void memory_start(void)
{
	const exo_slot largest = memory_largest();
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("memory", n)) != NULL; n++)
		if (g->slot != largest && wholes < WHOLE_MAX && exos_frame_remove(g->slot) >= 0)
			whole[wholes++] = g->slot;      /* else init's own frames lie in it */
}

uint64_t memory_lend(struct exos_spawn_grant *out, uint32_t *count, uint32_t room)
{
	const uint64_t later = net_frames(), keep = KEPT_FRAMES + later;
	struct exos_frame_stats stats;

	for (uint32_t i = 0; i < wholes && *count < room; i++)
		out[(*count)++] = (struct exos_spawn_grant){
			.name = "memory", .slot = whole[i],
			.rights = EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE,
		};
	exos_frame_stats(&stats);
	if (later == 0 && stats.free - stats.largest >= KEPT_FRAMES)
		return stats.largest;   /* the rest is enough for init */
	return stats.largest > 2 * keep ? stats.largest - keep : stats.largest / 2;
}

void memory_back(void)
{
	for (uint32_t i = 0; i < wholes; i++)
		exos_cap_revoke(whole[i]);
}
