/* SPDX-License-Identifier: MIT */
/*
 * end.c - dropping and revoking claims, and the end of objects, in bounded pieces.
 *
 * A claim is frozen before it ends, so that the work only shrinks.  Revoking takes the children
 * one by one: first all frames of the child's range, then its own children are hung on the claim
 * revoked; so each frame is looked at once and each claim touched twice however deep the tree.
 * An object goes with the node that holds its frames;
 * its frames become memory after a grace period, zeroed.
 */
#include <base/string.h>
#include <exo/disk.h>

#include "claim.h"
#include "cpu.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "env.h"
#include "frame.h"
#include "dev/irq.h"
#include "dev/nic_claim.h"
#include "dev/pci_claim.h"
#include "pieces.h"
#include "prog.h"
#include "run.h"
#include "slices.h"
#include "table.h"
#include "tlb.h"
#include "trace.h"
#include "vcpu.h"

int work_left;

#define WORK_WINDOW 8          /* steps between two windows for interrupts */

void work_done(int steps)
{
	static unsigned done;   /* tree_lock guards it */

	work_left -= steps;
	window_every(&done, steps, WORK_WINDOW);
}

/*
 * Is it in the index of its parent's pieces?  A claim that is revoked gives up its index: nobody
 * narrows it before all its children are gone.
 */
static bool piece_is(const struct exo_cap *c)
{
	return c->kind == EXO_KIND_BLOCK && c->parent && !(c->flags & EXO_CAP_SHARE) &&
	       !(slot_at(c->parent)->flags & EXO_CAP_REVOKING) && c->lo < c->hi;
}

/* Empty a slot: its name is stale from now on.  One taken by force keeps what was in it. */
static void slot_free(struct exo_cap *c, bool forced)
{
	enum exo_kind kind = c->kind;
	bool taken = forced && claim_is_anothers(c);

	if (kind == EXO_KIND_NIC)
		nic_forget(c);          /* while it hangs on its parent */
	if (piece_is(c))
		piece_remove(slot_at(c->parent), c);
	claim_unhang(c);
	if (claim_is_doorbell(c))
		event_release(env_at(c->lo), c->hi - 1);
	if (c->gen != GEN_RETIRED)
		__atomic_store_n(&c->gen, c->gen + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->kind, EXO_KIND_NONE, __ATOMIC_RELEASE);
	c->rights = 0;
	c->bind = c->held = 0;
	c->flags = taken ? EXO_CAP_TAKEN : 0;
	c->badge = taken ? kind : 0;
	if (taken)
		claim_tell_taken(c);
	else
		c->lo = c->hi = c->unit = 0;
}

/* A bounded piece of ending what was bound by the claim. */
static int bindings_end(struct exo_cap *c)
{
	switch (c->kind) {
	case EXO_KIND_FRAME:
		if (entries_unbind(c))
			return EXO_MORE;
		if (!__atomic_load_n(&c->held, __ATOMIC_ACQUIRE))
			return 0;
		disks_expire();
		nics_expire();
		return EXO_MORE;
	case EXO_KIND_ENV:
	case EXO_KIND_RING:
	case EXO_KIND_PACKETS:
	case EXO_KIND_TABLE:
	case EXO_KIND_TRACE:
		return entries_unbind(c);
	case EXO_KIND_VCPU:
		return entries_unbind(c) || vcpu_unbind(c) ? EXO_MORE : 0;
	case EXO_KIND_SLOT:
		slices_unbind(c);
		return 0;
	case EXO_KIND_BLOCK:
		return c->bind ? block_unbind(c) : 0;
	case EXO_KIND_NIC:
		return c->bind ? nic_unbind(c) : 0;
	case EXO_KIND_PCI:
		return entries_unbind(c) ? EXO_MORE : pci_unbind(c);
	case EXO_KIND_IRQ:
		if (c->bind)
			irq_unbind(c->lo);
		return 0;
	default:
		return 0;
	}
}

/*
 * A bounded piece of giving the frames that a claim still holds back to its parent; badge: how far
 * we came.  Nothing is looked at if a revoke above has them already.
 */
static int frames_return(struct exo_cap *c)
{
	uint64_t all = c->hi - c->lo;

	if (!c->unit)
		return 0;
	if (c->badge == all)
		c->badge = 0;           /* an object ended behind us */
	c->badge = frame_range_move(c->lo + c->badge, c->hi, slot_sid(c), c->parent,
				    claim_is_whole(c), &work_left) - c->lo;
	return c->unit ? EXO_MORE : 0;
}

/* A bounded piece of giving the claim's range back to its parent. */
static int range_return(struct exo_cap *c)
{
	if ((c->flags & EXO_CAP_SHARE) || !c->parent)
		return 0;
	claim_range_move(c, slot_sid(c), c->parent);
	return c->kind == EXO_KIND_FRAME ? frames_return(c) : 0;
}

/*
 * A bounded piece of taking all plain frames of a child's range, whoever below it holds them: one
 * pass, however deep and broken the tree below is, where returning them level by level would look
 * at the same frames again and again.  From now on nothing can be made of them down there.  The
 * claim that takes them is frozen until all that was bound to them is gone.
 */
static int frames_take(const struct exo_cap *c, struct exo_cap *kid)
{
	if (kid->kind != EXO_KIND_FRAME || (kid->flags & EXO_CAP_SHARE) ||
	    (c->flags & EXO_CAP_ENDING) || kid->badge == kid->hi - kid->lo)
		return 0;
	kid->badge = frame_range_take(kid->lo + kid->badge, kid->hi, slot_sid(c), &work_left) -
	             kid->lo;
	return kid->badge < kid->hi - kid->lo ? EXO_MORE : 0;
}

/* Drop every claim in a table frame. */
static int slots_end(struct exo_cap *table)
{
	struct exo_cap *slot = pfn_to_virt(table->lo);

	table_forget(table->lo);
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++) {
		if (slot[i].kind == EXO_KIND_NONE)
			continue;
		if (work_left <= 0)
			return EXO_MORE;
		work_done(1);
		if (claim_drop(&slot[i]))
			return EXO_MORE;
	}
	return 0;
}

static int object_take_apart(struct exo_cap *c)
{
	switch (c->kind) {
	case EXO_KIND_PT:
	case EXO_KIND_SPACE:
		return table_end(c->lo);
	case EXO_KIND_TABLE:
		return slots_end(c);
	case EXO_KIND_ENV:
		return env_end(env_at(c->lo));
	case EXO_KIND_RING:
		return ring_end(c->lo);
	case EXO_KIND_PACKETS:
		return packets_end(c->lo);
	case EXO_KIND_VCPU:
		return vcpu_end(c->lo);
	case EXO_KIND_FILTER:
		return filter_end(c->lo);
	case EXO_KIND_PROG:
		prog_end(c->lo);
		return 0;
	default:
		return 0;
	}
}

/* Nobody can reach the object any more: wait for those who already had. */
static int object_grace(struct exo_cap *c)
{
	if (c->kind == EXO_KIND_PT)
		return 0;
	if (!c->badge)
		c->badge = grace_ticket();
	return grace_over(c->badge) ? 0 : EXO_MORE;
}

/* Frames that are not its owner's own: those of a data area never were anything but memory. */
static uint64_t object_frames(const struct exo_cap *c)
{
	if (c->kind == EXO_KIND_PROG)
		return 2;               /* the others were zeroed by prog_close */
	return c->kind == EXO_KIND_PACKETS ? EXO_FRAMES_PACKETS : c->hi - c->lo;
}

/*
 * Nobody writes to its frames any more once they are zeroed: its pages may have been unmapped in
 * this very call, and the grace period over at once.  No program can write to those of page tables.
 */
static void pages_quiet(const struct exo_cap *c)
{
	if (c->kind != EXO_KIND_PT)
		tlb_flush_noted();
}

static void object_wipe(const struct exo_cap *c)
{
	if (c->kind == EXO_KIND_PT || c->kind == EXO_KIND_SPACE)
		table_wipe(c->lo);
	else if (c->kind == EXO_KIND_ENV)
		env_wipe(c->lo);
	else
		memset(pfn_to_virt(c->lo), 0, object_frames(c) * EXO_PAGE_SIZE);
}

/* Its own name is good until the slot is empty: who holds it is to find that it ends. */
static void object_forget(const struct exo_cap *c)
{
	struct env *holder;

	if (c->kind != EXO_KIND_ENV)
		return;
	holder = table_env(slot_sid(c) / EXO_SLOTS_PER_FRAME);
	if (holder)
		known_forget(holder);
}

static int object_end(struct exo_cap *c)
{
	c->flags |= EXO_CAP_ENDING;
	object_forget(c);
	if (object_take_apart(c) || object_grace(c))
		return EXO_MORE;
	if (c->kind == EXO_KIND_PROG && prog_close(c->lo))
		return EXO_MORE;
	interrupts_window();
	trace_unmap(c);
	trace_record(EXO_TRACE_END, c->lo, frame_use(c->lo));
	pages_quiet(c);
	object_wipe(c);
	work_done(32 + (int)(c->hi - c->lo) / 8);       /* which lets interrupts in */
	frames_free(c->lo, c->hi, object_frames(c), c->parent);
	return 0;
}

/* What remains to be done when a frozen claim has no children. */
static int claim_finish(struct exo_cap *c, bool forced)
{
	if (bindings_end(c))
		return EXO_MORE;
	if ((c->flags & EXO_CAP_OBJECT) ? object_end(c) : range_return(c))
		return EXO_MORE;
	work_done(2);           /* as long as emptying an entry and a half */
	slot_free(c, forced);
	return 0;
}

/* Which child of c is hung elsewhere next: a NIC claim on the same filter is the last to be. */
static struct exo_cap *child_to_move(const struct exo_cap *c)
{
	struct exo_cap *kid = slot_at(c->child);

	return nic_filter_shared(kid, c) && kid->next ? slot_at(kid->next) : kid;
}

/*
 * The lowest piece of a BLOCK claim that is dropped becomes its parent's; what lies before it is
 * the parent's again.  So the claim and its former pieces never overlap; nobody gets theirs.
 */
static struct exo_cap *piece_inherit(struct exo_cap *c, struct exo_cap *heir)
{
	struct exo_cap *kid = piece_first(c);

	piece_remove(c, kid);
	if (!(heir->flags & EXO_CAP_REVOKING)) {
		piece_remove(heir, c);
		c->lo = kid->hi;
		if (c->lo < c->hi)
			piece_add(heir, c);
		piece_add(heir, kid);
	}
	return kid;
}

/*
 * Hang the children of c on `heir`, behind c itself if c is one of heir's children.  A NIC claim
 * loses its bindings first and its child on the same filter last: it goes in one step with that,
 * since a filter goes with the topmost claim that names it.
 */
static int children_inherit(struct exo_cap *c, struct exo_cap *heir)
{
	bool pieces = c->kind == EXO_KIND_BLOCK && !(c->flags & EXO_CAP_REVOKING);

	if (c->kind == EXO_KIND_NIC && bindings_end(c))
		return EXO_MORE;
	while (c->child) {
		struct exo_cap *kid = child_to_move(c);

		if (work_left <= 0)
			return EXO_MORE;
		work_done(pieces && c->badge ? 8 : 1);
		if (pieces && c->badge)
			kid = piece_inherit(c, heir);
		nic_inherit(kid, c, heir);
		/* What a revoke took of c's frames, it took of the child's. */
		if (kid->kind == EXO_KIND_FRAME && c->kind == EXO_KIND_FRAME &&
		    c->badge == c->hi - c->lo)
			kid->badge = kid->hi - kid->lo;
		claim_unhang(kid);
		claim_hang(heir, kid, (kid->flags & EXO_CAP_SHARE) ? NULL : c);
	}
	return 0;
}

/* From now on all that was derived from it ends. */
static void revoke_begin(struct exo_cap *c)
{
	if (c->kind == EXO_KIND_BLOCK && !(c->flags & EXO_CAP_REVOKING))
		c->badge = 0;
	c->flags |= EXO_CAP_FROZEN | EXO_CAP_REVOKING;
}

/* End the first child of a frozen claim, or hang that child's children on it. */
static int child_end(struct exo_cap *c)
{
	struct exo_cap *kid = slot_at(c->child);

	kid->flags |= EXO_CAP_ENDING;   /* its holder does not thaw it */
	revoke_begin(kid);
	if (frames_take(c, kid))
		return EXO_MORE;
	while ((kid->flags & EXO_CAP_OBJECT) && kid->child)
		if (work_left <= 0 || child_end(kid))
			return EXO_MORE;
	if (children_inherit(kid, c))
		return EXO_MORE;
	return claim_finish(kid, true);
}

static int children_end(struct exo_cap *c)
{
	while (c->child)
		if (work_left <= 0 || child_end(c))
			return EXO_MORE;
	return 0;
}

int claim_revoke(struct exo_cap *c)
{
	revoke_begin(c);
	if (children_end(c))
		return EXO_MORE;
	if (!(c->flags & EXO_CAP_ENDING))
		c->flags &= ~(EXO_CAP_FROZEN | EXO_CAP_REVOKING);
	return 0;
}

int claim_drop(struct exo_cap *c)
{
	if (!c->parent)
		return -EXO_E_ROOT;
	c->flags |= EXO_CAP_FROZEN | EXO_CAP_ENDING;
	/* A revoke that was begun is brought to its end: frames below may be ours already. */
	if ((c->flags & (EXO_CAP_OBJECT | EXO_CAP_REVOKING)) && children_end(c))
		return EXO_MORE;
	if (children_inherit(c, slot_at(c->parent)))
		return EXO_MORE;
	return claim_finish(c, false);
}
