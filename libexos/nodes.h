/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - in which slot the claim of each further table frame lies; knows nothing of the kernel.
 *
 * The claim of a table frame lies in a slot of another one, and the kernel bounds how deep that
 * goes.  So such slots are set aside, ahead of need and in the order in which frames are made:
 * the first few in the frames that the program starts with, then all slots of every 16th frame.
 * A directory (such a frame) so serves frames four times as far on as itself, and the depth grows
 * with the logarithm of their number.
 *
 * Invariant: no two frames have the same place, and a place lies in a frame made before.
 */
#ifndef EXOS_NODES_H
#define EXOS_NODES_H

#include <stdbool.h>
#include <stdint.h>

#define NODES_FIRST 8u          /* places in the frames that the program starts with */
#define NODES_EVERY 16u         /* frames from one directory to the next */

/* Where the claim of a frame lies. */
struct node_place {
	bool first;             /* place `slot` (below NODES_FIRST) of the starting frames */
	uint64_t frame;         /* else: slot of this frame, a directory; counted as below */
	unsigned slot;
};

/* Is the n-th frame that was added (from 0) a directory? */
bool node_is_directory(uint64_t n);
/* The place of the n-th frame's claim. */
struct node_place node_place(uint64_t n);

#endif
