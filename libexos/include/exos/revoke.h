/* SPDX-License-Identifier: MIT */
/*
 * revoke.h - claims that somebody asks for or takes: what the program does about it.
 *
 * Who gave a claim may ask for it (exos_revoke_ask), and may take it at any time (exos_cap_revoke).
 * Both come as event EXOS_EVENT_REVOKE, which is handled with the others: in exos_event_dispatch
 * and in whatever waits for events.  The default asks those it gave parts of the claim to in
 * turn, then gives back memory of the allocator when no frame of it is in use once the pages of
 * regions marked EXOS_REGION_REBUILD are discarded; other claims it keeps.  What was taken is
 * forgotten: slots are free again, the allocator does not hand the frames out, regions count what
 * they have left.
 *
 * Invariant: each claim taken is reported once, however many are taken at a time.
 */
#ifndef EXOS_REVOKE_H
#define EXOS_REVOKE_H

#include <exo/cap.h>
#include <exo/env.h>
#include <exo/types.h>

#define EXOS_EVENT_REVOKE (EXO_EVENTS - 2)

/* What the program does; both run without the core lock, and may call anything. */
struct exos_revoke_ops {
	/* A claim was asked for: give it up by exos_cap_drop, or not.  Asked anew at each event. */
	void (*asked)(exo_slot slot, const struct exo_cap *cap, uint64_t deadline_tsc);
	/*
	 * A claim was taken; the record (EXO_CAP_TAKEN in exo/cap.h) says what it was.  The slot is
	 * freed afterwards.
	 */
	void (*taken)(exo_sid sid, const struct exo_cap *record);
};

/*
 * The default.  Its `taken` ends the program, with words, if frames went that were in use and
 * cannot be rebuilt: what was in them is lost.
 */
extern const struct exos_revoke_ops exos_revoke_default;

/* Install others; NULL: the default again.  They may call the default's for what they leave. */
void exos_revoke_ops_set(const struct exos_revoke_ops *ops);

/*
 * Ask for all that was derived from a claim, in the own table and out of it, until deadline_tsc:
 * 0 or -EXO_E_*.  Waiting, and taking what was not given, is the caller's.
 */
int exos_revoke_ask(exo_slot slot, uint64_t deadline_tsc);

/*
 * Ask, wait until nothing derived is left or the deadline has passed, then take the rest by force.
 * 0: all was given; 1: something was taken; or -EXO_E_*.
 */
int exos_revoke(exo_slot slot, uint64_t deadline_tsc);

#endif
