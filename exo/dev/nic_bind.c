/* SPDX-License-Identifier: MIT */
/*
 * nic_bind.c - binding packet rings to NIC claims, and ending that.
 *
 * Invariant: a NIC claim's `bind` is the head of the list of the rings bound by it, in the order
 * they were bound; those on the NIC's own filter are on the NIC's list too.  Rings that end take
 * and get nothing new from their first piece on; they leave lists, event entry and NIC in one step,
 * when nothing of them is in the device any more.  tree_lock held.
 */
#include "dev/nic.h"

#include "claim.h"
#include "hold.h"
#include "dev/nic_time.h"
#include "kernel.h"

enum { WORK_PACKETS = 32 };     /* steps that a piece of ending one pair of rings is counted as */

void packets_make(uint64_t pfn, uint64_t data_frames)
{
	memset(pfn_to_virt(pfn), 0, EXO_FRAMES_PACKETS * EXO_PAGE_SIZE);
	packets_at(pfn)->data_frames = (uint32_t)data_frames;
}

/* Rings bound by the claim; *last: the newest of them, or NULL. */
static unsigned claim_rings(const struct exo_cap *nic, struct packets **last)
{
	unsigned count = 0;

	*last = NULL;
	for (uint64_t pfn = nic->bind; pfn; pfn = (*last)->bind_next) {
		*last = packets_at(pfn);
		count++;
	}
	return count;
}

static unsigned wide_rings(const struct nic *n)
{
	unsigned count = 0;

	for (uint64_t pfn = n->wide; pfn; pfn = packets_at(pfn)->wide_next)
		count++;
	return count;
}

static int bind_check(struct env *e, uint64_t packets, uint64_t nic, struct exo_cap **pc,
                      struct exo_cap **nc)
{
	struct packets *last;
	int err = claim_find(e, packets, EXO_KIND_PACKETS, EXO_R_CONTROL, pc);

	if (!err)
		err = claim_find(e, nic, EXO_KIND_NIC, 0, nc);
	if (err < 0)
		return err;
	if (((*pc)->flags | (*nc)->flags) & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (packets_at((*pc)->lo)->nic)
		return -EXO_E_BUSY;
	if ((*nc)->unit >= nics.count)
		return -EXO_E_ABSENT;
	if (claim_rings(*nc, &last) >= NIC_RINGS_MAX)
		return -EXO_E_ROOM;
	if ((*nc)->lo == nics.nic[(*nc)->unit].filter &&
	    wide_rings(&nics.nic[(*nc)->unit]) >= NIC_WIDE_MAX)
		return -EXO_E_ROOM;
	return 0;
}

/* Onto the end of the claim's list. */
static void claim_link(struct packets *r, struct exo_cap *nic)
{
	struct packets *last;

	claim_rings(nic, &last);
	r->bind_next = 0;
	r->bind_prev = last ? packets_pfn(last) : 0;
	if (last)
		last->bind_next = packets_pfn(r);
	else
		nic->bind = packets_pfn(r);
}

static void wide_link(struct nic *n, struct packets *r)
{
	r->wide_prev = 0;
	r->wide_next = n->wide;
	if (n->wide)
		packets_at(n->wide)->wide_prev = packets_pfn(r);
	n->wide = packets_pfn(r);
}

/* The card may join packets while all rings bound take them, and there are some. */
static void joins_settle(struct nic *n)
{
	bool on = n->rings && n->rings_joined == n->rings;
	uint32_t flags = n->info->flags;

	if (!(flags & EXO_NIC_JOIN) || on == !!(flags & EXO_NIC_JOINS))
		return;
	__atomic_store_n(&n->info->flags, flags ^ EXO_NIC_JOINS, __ATOMIC_RELEASE);
	n->ops->join(n, on);
}

static void packets_bind(struct packets *r, struct exo_cap *nic, struct env *e, uint32_t entry)
{
	struct nic *n = &nics.nic[nic->unit];

	lock_take(&n->lock);
	r->env = e->pfn;
	r->entry = entry;
	r->claim = slot_sid(nic);
	r->claim_gen = nic->gen;
	r->filter = nic->lo;
	r->rights = nic->rights;
	r->share = nic->flags & EXO_CAP_SHARE;
	r->ending = false;
	r->joined = __atomic_load_n(&packets_page(r)->rx_joined, __ATOMIC_RELAXED) != 0;
	n->rings++;
	n->rings_joined += r->joined;
	joins_settle(n);
	claim_link(r, nic);
	if (r->filter == n->filter)
		wide_link(n, r);
	__atomic_store_n(&r->nic, nic->unit + 1, __ATOMIC_RELEASE);
	lock_release(&n->lock);
}

int64_t sys_nic_bind(struct env *e, uint64_t packets, uint64_t nic, uint64_t entry)
{
	struct exo_cap *pc, *nc;
	int err;

	if (!entry || entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	tree_take();
	err = bind_check(e, packets, nic, &pc, &nc);
	if (!err)
		err = event_reserve(e, (unsigned)entry, SOURCE_PACKETS, pc->lo);
	if (!err)
		packets_bind(packets_at(pc->lo), nc, e, (uint32_t)entry);
	tree_release();
	return err;
}

static void claim_unlink(struct packets *r)
{
	if (r->bind_prev)
		packets_at(r->bind_prev)->bind_next = r->bind_next;
	else
		slot_at(r->claim)->bind = r->bind_next;
	if (r->bind_next)
		packets_at(r->bind_next)->bind_prev = r->bind_prev;
	r->bind_next = r->bind_prev = 0;
}

static void wide_unlink(struct nic *n, struct packets *r)
{
	if (r->wide_prev)
		packets_at(r->wide_prev)->wide_next = r->wide_next;
	else
		n->wide = r->wide_next;
	if (r->wide_next)
		packets_at(r->wide_next)->wide_prev = r->wide_prev;
	r->wide_next = r->wide_prev = 0;
}

/* Nothing of it is in the device: off the lists, event entry and NIC.  Both locks held. */
static void packets_unbind(struct nic *n, struct packets *r)
{
	claim_unlink(r);
	if (r->filter == n->filter)
		wide_unlink(n, r);
	n->rings--;
	n->rings_joined -= r->joined;
	joins_settle(n);
	if (r->env)
		event_free(env_at(r->env), r->entry);
	r->claim = 0;
	r->env = r->filter = 0;
	__atomic_store_n(&r->nic, 0, __ATOMIC_RELEASE);
}

/* Nothing of it waits any more, or work_left is used up: false. */
static bool packets_quit(struct nic *n, struct packets *r)
{
	bool more;

	do {
		work_done(WORK_PACKETS);
		lock_take(&n->lock);
		r->ending = true;
		more = packets_cancel(n, r);
		nic_tell_all(n);
		lock_release(&n->lock);
	} while (more && work_left > 0);
	return !more;
}

int packets_end(uint64_t pfn)
{
	struct packets *r = packets_at(pfn);
	struct nic *n;
	bool drained;

	if (!r->nic)
		return 0;
	n = &nics.nic[r->nic - 1];
	if (!packets_quit(n, r))
		return EXO_MORE;
	lock_take(&n->lock);
	nic_reap(n, r->queue);
	nic_expire(n, r->queue);
	drained = !r->flight;
	if (nic_submit(n, NIC_LATER_BATCH, NULL))
		nic_time_late(packets_queue(n, r));
	nic_tell_all(n);
	if (drained)
		packets_unbind(n, r);
	lock_release(&n->lock);
	return drained ? 0 : EXO_MORE;
}

int nic_unbind(struct exo_cap *nic)
{
	while (nic->bind) {
		if (work_left <= 0 || packets_end(nic->bind) == EXO_MORE)
			return EXO_MORE;
	}
	return 0;
}

void packets_forget(uint64_t pfn)
{
	struct packets *r = packets_at(pfn);
	struct nic *n;

	if (!r->nic)
		return;
	n = &nics.nic[r->nic - 1];
	lock_take(&n->lock);
	r->env = 0;
	lock_release(&n->lock);
}
