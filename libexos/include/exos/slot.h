/* SPDX-License-Identifier: MIT */
/*
 * slot.h - free slots of the own capability table.
 *
 * Invariant: a slot handed out stays taken until it is freed, whatever happens to the claim in
 * it.  The table grows by a frame when few slots are left.
 */
#ifndef EXOS_SLOT_H
#define EXOS_SLOT_H

#include <exo/types.h>

/* An empty slot, or 0 if there is none and no memory for another table frame. */
exo_sid exos_slot_alloc(void);

/* `count` consecutive empty slots (1 to 64) in one table frame; the first, or 0. */
exo_sid exos_slot_alloc_run(unsigned count);

/*
 * Give back; the slot must be empty (its claim dropped or revoked). A slot not taken is a panic.
 */
void exos_slot_free(exo_sid sid);
void exos_slot_free_run(exo_sid sid, unsigned count);

/* Free every slot that is taken by an alloc, empty now and not in [open_lo, open_hi); how many. */
unsigned exos_slot_sweep(void);

/*
 * Let others give into `count` slots of one frame (allocated here); the first, or 0.  One range
 * is open at a time; closing frees those that are still empty.
 */
exo_sid exos_slot_open(unsigned count);
void exos_slot_close(void);

/* Slots free without growing; frames of the table. */
unsigned exos_slot_free_count(void);
unsigned exos_slot_frames(void);

#endif
