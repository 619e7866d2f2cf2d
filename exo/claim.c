/* SPDX-License-Identifier: MIT */
/*
 * claim.c - claims: looking them up, deriving smaller ones.
 *
 * Invariant: a slot in use is a root or on the child list of its parent; shares come first on that
 * list; a FRAME claim that has shares gives nothing else away.  Ending claims: end.c.
 */
#include "claim.h"

#include <base/string.h>
#include <base/util.h>

#include "env.h"
#include "frame.h"
#include "dev/nic_claim.h"
#include "dev/pci_claim.h"
#include "pieces.h"
#include "slices.h"
#include "x86/port.h"


bool table_serves(struct env *e, uint64_t pfn)
{
	const struct exo_frame *f = frame_entry(pfn);
	uint32_t *hit = &e->table_hit[pfn % TABLE_HITS];

	if (!f || !frames.chunks[pfn / EXO_CHUNK_FRAMES].mixed)
		return false;
	if (f->use != EXO_USE_TABLE || f->object != e->id)
		return false;
	/* The table's end clears object, then table_hit: look again, lest the hit outlive it. */
	__atomic_store_n(hit, (uint32_t)pfn, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&f->object, __ATOMIC_SEQ_CST) != e->id)
		__atomic_store_n(hit, TABLE_NONE, __ATOMIC_SEQ_CST);
	return true;
}

struct env *table_env(uint64_t pfn)
{
	uint64_t id = frame_entry(pfn)->object, env_pfn = (uint32_t)id;

	if (!id || frame_use(env_pfn) != EXO_USE_ENV || env_at(env_pfn)->id != id)
		return NULL;
	return env_at(env_pfn);
}

void table_forget(uint64_t pfn)
{
	struct env *e = table_env(pfn);

	__atomic_store_n(&frame_entry(pfn)->object, 0, __ATOMIC_SEQ_CST);
	if (!e)
		return;
	__atomic_store_n(&e->table_hit[pfn % TABLE_HITS], TABLE_NONE, __ATOMIC_SEQ_CST);
	known_forget(e);
}

int slot_empty(struct env *e, uint64_t sid, struct exo_cap **out)
{
	uint64_t pfn = sid / EXO_SLOTS_PER_FRAME;
	struct exo_cap *c = slot_at(sid);

	if (sid > UINT32_MAX || (!table_known(e, pfn) && !table_serves(e, pfn)))
		return -EXO_E_SLOT;
	if (c->kind != EXO_KIND_NONE || c->gen == GEN_RETIRED)
		return -EXO_E_SLOT;
	*out = c;
	return 0;
}

bool kind_splits(enum exo_kind kind)
{
	return kind == EXO_KIND_FRAME || kind == EXO_KIND_SLOT || kind == EXO_KIND_BLOCK ||
	       kind == EXO_KIND_PORT;
}

/* A FRAME claim that was never used to map or pin need not look at its frames one by one. */
static int frame_part_check(const struct exo_cap *parent, const struct claim_spec *spec)
{
	if (parent->flags & EXO_CAP_SHARE)
		return spec->share ? 0 : -EXO_E_SHARED;
	if (!spec->share && claim_has_shares(parent))
		return -EXO_E_SHARED;
	if (!claim_is_whole(parent) && !frame_range_held(spec->lo, spec->hi, slot_sid(parent)))
		return -EXO_E_SPLIT;
	if (spec->share || !(parent->bind || parent->held))
		return 0;
	return frame_range_busy(spec->lo, spec->hi) ? -EXO_E_MAPPED : 0;
}

static int part_check(const struct exo_cap *parent, const struct claim_spec *spec)
{
	if (spec->lo >= spec->hi || spec->lo < parent->lo || spec->hi > parent->hi)
		return -EXO_E_RANGE;
	if (spec->share && (spec->rights & EXO_R_RETYPE))
		return -EXO_E_RIGHTS;
	if (parent->kind == EXO_KIND_FRAME)
		return frame_part_check(parent, spec);
	if (spec->share && parent->kind != EXO_KIND_BLOCK)
		return -EXO_E_ARG;
	if (!spec->share && ((parent->flags & EXO_CAP_SHARE) || claim_has_shares(parent)))
		return -EXO_E_SHARED;
	if (parent->kind == EXO_KIND_SLOT)
		return slices_check(parent->unit, spec->lo, spec->hi, slot_sid(parent));
	if (parent->kind == EXO_KIND_PORT)
		return ports_held(spec->lo, spec->hi, slot_sid(parent)) ? 0 : -EXO_E_SPLIT;
	if (!spec->share && parent->bind)
		return -EXO_E_MAPPED;
	return pieces_clear(parent, spec->lo, spec->hi) ? 0 : -EXO_E_SPLIT;
}

int claim_derive_check(const struct exo_cap *parent, const struct claim_spec *spec)
{
	if (parent->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (spec->rights & ~(unsigned)parent->rights)
		return -EXO_E_RIGHTS;
	if (spec->kind == parent->kind && kind_splits(parent->kind))
		return part_check(parent, spec);
	if (spec->share)
		return -EXO_E_ARG;
	if (parent->kind == EXO_KIND_NIC)
		return nic_give_check(parent);
	if (parent->kind == EXO_KIND_PCI)
		return pci_give_check(parent);
	if (parent->kind == EXO_KIND_IRQ)
		return parent->child ? -EXO_E_SPLIT : parent->bind ? -EXO_E_MAPPED : 0;
	return 0;
}

void claim_hang(struct exo_cap *parent, struct exo_cap *c, struct exo_cap *after)
{
	exo_sid sid = slot_sid(c);

	c->parent = slot_sid(parent);
	c->prev = after ? slot_sid(after) : 0;
	c->next = after ? after->next : parent->child;
	if (c->next)
		slot_at(c->next)->prev = sid;
	if (after)
		after->next = sid;
	else
		parent->child = sid;
}

void claim_unhang(struct exo_cap *c)
{
	if (c->prev)
		slot_at(c->prev)->next = c->next;
	else if (c->parent)
		slot_at(c->parent)->child = c->next;
	if (c->next)
		slot_at(c->next)->prev = c->prev;
	c->parent = c->prev = c->next = 0;
}

static void slot_fill(struct exo_cap *dst, const struct claim_spec *spec)
{
	dst->flags = spec->share ? EXO_CAP_SHARE : 0;
	dst->rights = spec->rights;
	dst->parent = dst->child = dst->next = dst->prev = 0;
	dst->lo = spec->lo;
	dst->hi = spec->hi;
	dst->bind = dst->held = 0;
	dst->unit = spec->kind == EXO_KIND_FRAME ? 0 : spec->unit;
	dst->badge = spec->kind == EXO_KIND_FRAME || spec->kind == EXO_KIND_BLOCK ? 0 : spec->badge;
	/* Readers without the lock go by the kind: it comes last. */
	__atomic_store_n(&dst->kind, spec->kind, __ATOMIC_RELEASE);
}

void claim_range_move(const struct exo_cap *c, exo_sid from, exo_sid to)
{
	if (c->kind == EXO_KIND_SLOT)
		slices_move(c->unit, c->lo, c->hi, from, to);
	if (c->kind == EXO_KIND_PORT)
		ports_move(c->lo, c->hi, from, to);
}

/* `from` is a claim that holds all of the range, or nobody, to whom some of it belongs. */
static void range_take(const struct exo_cap *c, exo_sid from)
{
	int work = FRAME_WORK_ALL;

	if (c->kind == EXO_KIND_FRAME)
		frame_range_move(c->lo, c->hi, from, slot_sid(c), from != 0, &work);
	claim_range_move(c, from, slot_sid(c));
}

void claim_root(struct exo_cap *dst, const struct claim_spec *spec)
{
	slot_fill(dst, spec);
	if (!spec->share)
		range_take(dst, 0);
}

void claim_derive(struct exo_cap *parent, struct exo_cap *dst, const struct claim_spec *spec)
{
	bool share = spec->share || (parent->flags & EXO_CAP_SHARE);

	slot_fill(dst, spec);
	if (share)
		dst->flags |= EXO_CAP_SHARE;
	if (claim_is_doorbell(dst))
		env_at(dst->lo)->source[dst->hi - 1].id++;
	claim_hang(parent, dst, NULL);
	if (spec->kind == EXO_KIND_NIC && spec->lo == parent->lo)
		nic_given(dst);
	if (share || spec->kind != parent->kind)
		return;
	range_take(dst, slot_sid(parent));
	if (spec->kind == EXO_KIND_BLOCK)
		piece_add(parent, dst);
}
