/* SPDX-License-Identifier: MIT */
/*
 * known.h - claims that an environment called, yielded or posted by, kept with what they name.
 *
 * Invariant: an entry is of a claim that was looked up and found to be right for its use; as a
 * claim never changes, it is right as long as the slot's generation is the name's, which is
 * compared at each use (x86/handover.S).  The entries end before the frame of any slot they know
 * is used for anything else, and before the environment ends whose own claim they know.
 */
#ifndef EXO_KNOWN_H
#define EXO_KNOWN_H

#include <exo/cap.h>

struct env;

enum known_use { KNOWN_GATE, KNOWN_YIELD, KNOWN_BELL, KNOWN_USES };

#define KNOWN 4u /* of each use, by the last bits of the slot's number */

/* Written by its environment's own calls, and by known_forget. */
struct known {
	exo_slot name[KNOWN];
	const uint32_t *gen[KNOWN];     /* the slot's generation */
	struct env *to[KNOWN];
	uint64_t hi[KNOWN];             /* a gate's entry, a doorbell's event entry */
	uint32_t badge[KNOWN];
};

/*
 * The calling environment e found the claim c by this name and acted on it, by the rights that this
 * use needs.  Takes no lock.
 */
void known_learn(struct env *e, enum known_use use, const struct exo_cap *c, exo_slot name);

/* Nothing is known, at first, or because a frame of slots ends, or what one of them names. */
void known_forget(struct env *e);

#endif
