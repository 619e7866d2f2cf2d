/* SPDX-License-Identifier: MIT */
/*
 * cap.c - looking at claims, deriving into fresh slots, ending claims.
 *
 * Invariant: a slot taken for a derivation that was refused is free again.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>

const struct exo_cap *exos_cap_look(exo_slot slot)
{
	const struct exo_cap *cap = exos_cap_at(exo_slot_sid(slot));

	if (!cap || cap->kind == EXO_KIND_NONE || cap->gen != exo_slot_gen(slot))
		return NULL;
	return cap;
}

exo_slot exos_cap_name(exo_sid sid)
{
	const struct exo_cap *cap = exos_cap_at(sid);

	return cap && cap->kind != EXO_KIND_NONE ? exo_slot_make(sid, cap->gen) : 0;
}

int core_cap_drop(exo_slot slot)
{
	int64_t n;

	do
		n = exo_cap_drop(slot);
	while (n == EXO_MORE);
	if (n < 0)
		return (int)n;
	core_slot_free(exo_slot_sid(slot));
	return 0;
}

int exos_cap_drop(exo_slot slot)
{
	int64_t n;

	do
		n = exo_cap_drop(slot);
	while (n == EXO_MORE);
	if (n < 0)
		return (int)n;
	exos_slot_free(exo_slot_sid(slot));
	return 0;
}

int exos_cap_revoke(exo_slot slot)
{
	int64_t n;

	do
		n = exo_cap_revoke(slot);
	while (n == EXO_MORE);
	return (int)n;
}

int exos_cap_end(exo_slot slot)
{
	int err = exos_cap_revoke(slot);

	if (err == 0)
		err = exos_cap_drop(slot);
	if (err != -EXO_E_STALE)
		return err;
	/* Somebody above took it: only the slot is left to free, if revoke.c does not do that. */
	if (exos_cap_at(exo_slot_sid(slot)) &&
	    (exos_cap_at(exo_slot_sid(slot))->flags & EXO_CAP_TAKEN))
		return 0;
	if (exos_cap_at(exo_slot_sid(slot)) && !exos_cap_name(exo_slot_sid(slot)))
		exos_slot_free(exo_slot_sid(slot));
	return 0;
}

int core_cap_retype(exo_slot claim, uint64_t pfn, uint32_t kind, uint64_t arg, exo_slot *out)
{
	exo_sid sid = core_slot_alloc();
	int64_t made;

	if (!sid)
		return -EXO_E_SLOT;
	made = exo_retype(claim, sid, pfn, kind, arg);
	if (made < 0) {
		core_slot_free(sid);
		return (int)made;
	}
	*out = (exo_slot)made;
	return 0;
}

/* Keep what a call derived into `sid`, or free the slot. */
static int keep(exo_sid sid, int64_t made, exo_slot *out)
{
	if (made < 0) {
		exos_slot_free(sid);
		return (int)made;
	}
	*out = (exo_slot)made;
	return 0;
}

int exos_cap_retype(exo_slot claim, uint64_t pfn, uint32_t kind, uint64_t arg, exo_slot *out)
{
	exo_sid sid = exos_slot_alloc();

	if (!sid)
		return -EXO_E_SLOT;
	return keep(sid, exo_retype(claim, sid, pfn, kind, arg), out);
}

int exos_cap_narrow(exo_slot from, uint64_t lo, uint64_t hi, uint32_t rights, exo_slot *out)
{
	exo_sid sid = exos_slot_alloc();

	if (!sid)
		return -EXO_E_SLOT;
	return keep(sid, exo_cap_narrow(from, sid, lo, hi, rights), out);
}

int exos_cap_doorbell(uint32_t entry, exo_slot *out)
{
	exo_sid sid = exos_slot_alloc();

	if (!sid)
		return -EXO_E_SLOT;
	return keep(sid, exo_doorbell(exos_own_env, sid, entry, EXO_R_NOTIFY), out);
}
