/* SPDX-License-Identifier: MIT */
/*
 * cap.h - looking at one's own claims, and the verbs that end them.
 *
 * Looking is a load from the table, which is mapped read-only: what is read can be old by the
 * time it is used; the kernel checks again.
 */
#ifndef EXOS_CAP_H
#define EXOS_CAP_H

#include <exo/cap.h>
#include <exo/types.h>
#include <stdbool.h>

/* What stands in a slot of the own table, or NULL if `sid` is not one of them. */
const struct exo_cap *exos_cap_at(exo_sid sid);

/* The claim of this name, or NULL if it is stale or not in the own table. */
const struct exo_cap *exos_cap_look(exo_slot slot);

/* The full name of what stands in the slot `sid` now, or 0 if it is empty or not ours. */
exo_slot exos_cap_name(exo_sid sid);

/* Calls exo_cap_drop or exo_cap_revoke until done; 0 or -EXO_E_*.  drop also frees the slot. */
int exos_cap_drop(exo_slot slot);
int exos_cap_revoke(exo_slot slot);

/* Revoke, then drop. A claim that is stale already is no error; its slot is freed. */
int exos_cap_end(exo_slot slot);

/*
 * Derive into a fresh slot: exo_cap_narrow with a slot of exos_slot_alloc.  rights may carry
 * EXO_SHARE. The new name in *out, or -EXO_E_* with nothing changed.
 */
int exos_cap_narrow(exo_slot from, uint64_t lo, uint64_t hi, uint32_t rights, exo_slot *out);

/* Retype into a fresh slot. */
int exos_cap_retype(exo_slot claim, uint64_t pfn, uint32_t kind, uint64_t arg, exo_slot *out);

/* A doorbell to the own environment that posts `entry`, in a fresh slot. */
int exos_cap_doorbell(uint32_t entry, exo_slot *out);

#endif
