/* SPDX-License-Identifier: MIT */
/*
 * fuzz_revoke.c - the warden: gives pieces of what it holds, and takes them back while in use.
 *
 * Invariant: the warden's own frames are the first OWN_ALL of the arena; nobody else is given any
 * of them.
 */
#include <base/string.h>
#include <base/util.h>
#include "fuzz.h"

#define PIECE 88u               /* frames of each other actor */

static exo_slot made(int64_t result)
{
	if (result <= 0)
		fuzz_wrong("the warden's own call was refused");
	return result > 0 ? (exo_slot)result : 0;
}

exo_slot fuzz_narrow(struct actor *w, exo_slot from, uint64_t lo, uint64_t hi, uint64_t rights)
{
	return made(fuzz_call(w, EXO_CALL_cap_narrow, from, fuzz_empty(w), lo, hi, rights));
}

exo_slot fuzz_object(struct actor *w, exo_slot from, uint64_t at, enum exo_kind kind, uint64_t arg)
{
	return made(fuzz_call(w, EXO_CALL_retype, from, fuzz_empty(w), w->group->arena.lo + at,
			      kind, arg));
}

exo_slot fuzz_nic_part(struct actor *w, exo_slot filter, uint64_t mark)
{
	struct exo_nic_spec spec;

	memset(&spec, 0, sizeof(spec));
	spec.receive.mask[4] = spec.send.mask[4] = 0xff;
	spec.receive.value[4] = spec.send.value[4] = mark;
	return made(fuzz_call(w, EXO_CALL_nic_narrow, fuzz_name(w, HAS_NIC), fuzz_empty(w), filter,
			      (uint64_t)&spec, GUEST_RW));
}

static const struct exo_cap *has(const struct actor *w, enum fuzz_slot index)
{
	return &w->peer.slots[index];
}

static void link_table(struct actor *w, uint64_t at, unsigned level)
{
	struct exo_map_op op = { .slot = fuzz_object(w, fuzz_name(w, HAS_FRAME), at, EXO_KIND_PT,
						     level), .op = EXO_LINK, .prot = EXO_R_READ };

	fuzz_map(w, w->group->warden.space, &op);
}

void fuzz_warden_start(struct actor *w)
{
	exo_slot root = fuzz_name(w, HAS_FRAME);
	struct fuzz_warden *o = &w->group->warden;
	const struct exo_cap *time = has(w, HAS_SLOT), *blocks = has(w, HAS_BLOCK);
	uint64_t lo = w->group->arena.lo;

	o->space = fuzz_object(w, root, OWN_SPACE, EXO_KIND_SPACE, 0);
	link_table(w, OWN_PT3, 3);
	link_table(w, OWN_PT2, 2);
	link_table(w, OWN_PT1, 1);
	o->env = fuzz_object(w, root, OWN_ENV, EXO_KIND_ENV, 0);
	fuzz_object(w, root, OWN_TABLE, EXO_KIND_TABLE, o->env);
	o->part = fuzz_narrow(w, root, lo + OWN_CYCLE, lo + OWN_ALL, GUEST_R_FRAMES);
	o->time_part = fuzz_narrow(w, fuzz_name(w, HAS_SLOT), time->lo, time->lo + 2,
				   EXO_R_CONTROL);
	if (blocks->kind == EXO_KIND_BLOCK)
		o->block_part = fuzz_narrow(w, fuzz_name(w, HAS_BLOCK), blocks->lo, blocks->lo + 64,
					    GUEST_RW);
}

/* Give it a piece of ours, newly made or the one it had, which is revoked first. */
static void give(struct actor *w, struct actor *to, enum fuzz_slot index, unsigned piece,
		 uint64_t rights)
{
	fuzz_call(w, EXO_CALL_cap_give, fuzz_name(w, piece), fuzz_name(w, HAS_ENV + to->number),
		  to->peer.sid + index, rights, 0);
}

/* The piece of this kind that it was given before, everything under it revoked; 0: none. */
static unsigned taken_back(struct actor *w, const struct actor *to, enum fuzz_slot index)
{
	unsigned piece = w->gave[to->number * HAS_ENV + index];

	if (!piece || w->peer.slots[piece].kind != has(w, index)->kind)
		return 0;
	fuzz_end(w, EXO_CALL_cap_revoke, fuzz_name(w, piece));
	return piece;
}

static unsigned remember(struct actor *w, const struct actor *to, enum fuzz_slot index,
			 exo_slot name)
{
	unsigned piece = name ? exo_slot_sid(name) - w->peer.sid : 0;

	w->gave[to->number * HAS_ENV + index] = (uint16_t)piece;
	return piece;
}

static void equip(struct actor *w, struct actor *to, enum fuzz_slot index, uint64_t lo, uint64_t hi,
		  uint64_t rights)
{
	unsigned piece = taken_back(w, to, index);

	if (!piece)
		piece = remember(w, to, index, fuzz_narrow(w, fuzz_name(w, index), lo, hi, rights));
	if (piece)
		give(w, to, index, piece, rights);
}

static void equip_nic(struct actor *w, struct actor *to)
{
	unsigned piece = taken_back(w, to, HAS_NIC);

	if (!piece)
		piece = remember(w, to, HAS_NIC,
				 fuzz_nic_part(w, w->group->warden.filters[to->number],
					       to->number));
	if (piece)
		give(w, to, HAS_NIC, piece, GUEST_RW);
}

/* Which filter an actor's packets have; made once. */
static void filter_make(struct actor *w, unsigned number)
{
	exo_slot *filter = &w->group->warden.filters[number];

	if (!*filter)
		*filter = fuzz_object(w, fuzz_name(w, HAS_FRAME), OWN_FILTER + number - 1,
				      EXO_KIND_FILTER, 0);
}

void fuzz_equip(struct actor *w, unsigned number)
{
	struct actor *to = &w->group->actor[number];
	uint64_t lo = w->group->arena.lo + OWN_ALL + (number - 1) * PIECE, n = number;
	const struct exo_cap *slots = has(w, HAS_SLOT), *blocks = has(w, HAS_BLOCK);

	to->lo = lo;
	to->hi = lo + PIECE;
	equip(w, to, HAS_FRAME, lo, lo + PIECE, GUEST_R_FRAMES);
	equip(w, to, HAS_SLOT, slots->hi - n, slots->hi - n + 1, EXO_R_CONTROL);
	if (blocks->kind == EXO_KIND_BLOCK)
		equip(w, to, HAS_BLOCK, blocks->hi - 64 * n, blocks->hi - 64 * n + 64, GUEST_RW);
	if (has(w, HAS_NIC)->kind == EXO_KIND_NIC) {
		filter_make(w, number);
		equip_nic(w, to);
	}
}
