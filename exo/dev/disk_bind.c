/* SPDX-License-Identifier: MIT */
/*
 * disk_bind.c - binding rings to block ranges, and ending that.
 *
 * Invariant: a BLOCK claim's `bind` is the head of the list of the rings bound by it, and is 0 when
 * there are none.  A ring that ends takes nothing new from its first piece on; it leaves list,
 * event entry and disk in one step, when nothing of it is in the device any more.  tree_lock held.
 */
#include "dev/disk.h"

#include "claim.h"
#include "hold.h"
#include "kernel.h"

enum {
	WORK_RING = 32,         /* steps that a piece of ending one ring is counted as */
};

static int bind_check(struct env *e, uint64_t ring, uint64_t block, struct exo_cap **rc,
                      struct exo_cap **bc)
{
	int err = claim_find(e, ring, EXO_KIND_RING, EXO_R_CONTROL, rc);

	if (!err)
		err = claim_find(e, block, EXO_KIND_BLOCK, 0, bc);
	if (err < 0)
		return err;
	if (((*rc)->flags | (*bc)->flags) & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	if (ring_at((*rc)->lo)->disk)
		return -EXO_E_BUSY;
	if ((*bc)->unit >= disks.count)
		return -EXO_E_ABSENT;
	/* Its pieces hang in a tree of which badge is the root. */
	return (*bc)->badge ? -EXO_E_SPLIT : 0;
}

static void ring_bind(struct ring *r, struct exo_cap *block, struct env *e, uint32_t entry)
{
	r->env = entry ? e->pfn : 0;
	r->entry = entry;
	r->block = slot_sid(block);
	r->block_gen = block->gen;
	r->lo = block->lo;
	r->hi = block->hi;
	r->rights = block->rights;
	r->ending = false;
	r->bind_prev = 0;
	r->bind_next = block->bind;
	if (block->bind)
		ring_at(block->bind)->bind_prev = ring_pfn(r);
	block->bind = ring_pfn(r);
	r->disk = block->unit + 1;
}

int64_t sys_disk_bind(struct env *e, uint64_t ring, uint64_t block, uint64_t entry)
{
	struct exo_cap *rc, *bc;
	int err;

	if (entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	tree_take();
	err = bind_check(e, ring, block, &rc, &bc);
	if (!err && entry)
		err = event_reserve(e, (unsigned)entry, SOURCE_RING, rc->lo);
	if (!err)
		ring_bind(ring_at(rc->lo), bc, e, (uint32_t)entry);
	tree_release();
	return err;
}

/* Nothing of it is in the device: off the claim's list, event entry and disk. */
static void ring_unbind(struct ring *r)
{
	if (r->bind_prev)
		ring_at(r->bind_prev)->bind_next = r->bind_next;
	else
		slot_at(r->block)->bind = r->bind_next;
	if (r->bind_next)
		ring_at(r->bind_next)->bind_prev = r->bind_prev;
	if (r->env)
		event_free(env_at(r->env), r->entry);
	r->bind_next = r->bind_prev = 0;
	r->block = 0;
	r->env = 0;
	r->disk = 0;
}

/* Nothing of it waits any more, or work_left is used up: false. */
static bool ring_quit(struct disk *d, struct ring *r)
{
	bool more;

	do {
		work_done(WORK_RING);
		lock_take(&d->lock);
		r->ending = true;
		more = ring_cancel(d, r);
		lock_release(&d->lock);
	} while (more && work_left > 0);
	return !more;
}

int ring_end(uint64_t pfn)
{
	struct ring *r = ring_at(pfn);
	struct disk *d;
	unsigned work;
	bool drained;

	if (!r->disk)
		return 0;
	d = &disks.disk[r->disk - 1];
	if (!ring_quit(d, r))
		return EXO_MORE;
	lock_take(&d->lock);
	work = disk_reap(d);
	disk_expire(d);
	drained = !r->flight;
	disk_submit(d, work);
	lock_release(&d->lock);
	if (!drained)
		return EXO_MORE;
	ring_unbind(r);
	return 0;
}

int block_unbind(struct exo_cap *block)
{
	while (block->bind) {
		if (work_left <= 0 || ring_end(block->bind) == EXO_MORE)
			return EXO_MORE;
	}
	return 0;
}

void ring_forget(uint64_t pfn)
{
	struct ring *r = ring_at(pfn);
	struct disk *d;

	if (!r->disk)
		return;
	d = &disks.disk[r->disk - 1];
	lock_take(&d->lock);
	r->env = 0;
	lock_release(&d->lock);
}
