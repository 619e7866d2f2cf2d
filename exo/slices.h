/* SPDX-License-Identifier: MIT */
/*
 * slices.h - slice vectors: for each CPU, which environment runs in which time slot.
 *
 * Invariant: a slot names an environment only by a SLOT claim that holds it; the environment's
 * list of slots and the vectors say the same.  Changed with tree_lock and the CPU's slot lock held.
 */
#ifndef EXO_SLICES_H
#define EXO_SLICES_H

#include <exo/cap.h>

struct env;

/* May slots [lo, hi) of a CPU be given away by the claim `sid`?  SPLIT, MAPPED if any is in use. */
int slices_check(uint32_t cpu, uint64_t lo, uint64_t hi, exo_sid sid);
/* Slots of [lo, hi) held by `from` are held by `to` from now on. */
void slices_move(uint32_t cpu, uint64_t lo, uint64_t hi, exo_sid from, exo_sid to);
/* Empty all slots that the claim named an environment in. */
void slices_unbind(const struct exo_cap *c);
/* Take an environment out of every slot that names it. */
void slices_forget(struct env *e);
/* Let slot `slot` of a CPU name e, or nobody (NULL); the claim holds the slot. */
void slices_set(const struct exo_cap *claim, uint64_t slot, struct env *e);
/* Does the claim hold this slot? */
int slices_held(const struct exo_cap *claim, uint64_t slot);

#endif
