/* SPDX-License-Identifier: MIT */
/*
 * nodes.c - in which slot the claim of each further table frame lies (nodes.h).
 */
#include "nodes.h"

#include <exo/cap.h>

#define FIRST_DIRECTORY (NODES_FIRST - 1)

_Static_assert(NODES_EVERY < EXO_SLOTS_PER_FRAME, "a directory serves more frames than that");

bool node_is_directory(uint64_t n)
{
	return n % NODES_EVERY == FIRST_DIRECTORY;
}

struct node_place node_place(uint64_t n)
{
	uint64_t behind = n - NODES_FIRST;

	if (n < NODES_FIRST)
		return (struct node_place){ .first = true, .slot = (unsigned)n };
	return (struct node_place){
		.frame = behind / EXO_SLOTS_PER_FRAME * NODES_EVERY + FIRST_DIRECTORY,
		.slot = (unsigned)(behind % EXO_SLOTS_PER_FRAME),
	};
}
