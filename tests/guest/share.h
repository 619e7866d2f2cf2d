/* SPDX-License-Identifier: MIT */
/*
 * share.h - peers that turn, and measure how much of a CPU they have (share.c).
 */
#ifndef GUEST_SHARE_H
#define GUEST_SHARE_H

#include "peer.h"

/* Words of a peer that turns. */
enum {
	OWN,            /* time in slots that name it */
	OTHER,          /* time in slots that name others of our part of the vector */
	VECTOR,         /* in: its CPU's struct exo_vector */
	SLOTS,          /* in: our part of it, a bit for each slot */
	GAP,            /* in: longer than this between two looks, and somebody else had the time */
	GO,             /* in: 1 while it shall count */
	WAKES,          /* of the one that waits */
	SHARE_WORDS,    /* from here on the test's own */
};

/*
 * Peers that turn, in the slots that `pattern` says: "aab" names peer 0, 0, 1 and so on again, in
 * as many as fit into the test's slots on that CPU, and at most `most`.  The last of them may do
 * something else.
 */
bool share_turn(struct peer *peers, unsigned count, uint32_t cpu, const char *pattern,
		uint64_t most, peer_main *last);
/* What turns. */
void share_spend(struct peer *peer);

/* One round of a CPU's slots, in time stamps. */
uint64_t share_round_tsc(void);

/* What a peer has in a round of the vector, in its own slots; the test sleeps meanwhile. */
uint64_t share_own_time(struct peer *peer);

#endif
