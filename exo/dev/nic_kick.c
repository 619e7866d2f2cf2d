/* SPDX-License-Identifier: MIT */
/*
 * nic_kick.c - taking parts off a send ring: each is copied once, checked, its frames pinned.
 *
 * Invariant: what lies in the ring's pages is hostile: indices are compared with the kernel's own,
 * an entry is read once, and nothing in it is used before its check.  Lent frames are checked and
 * pinned with tree_lock held: a revocation comes before (the packet is refused) or after (it sees
 * the pin).  Whether the packet may be sent at all is looked at when its turn comes.  A kick is
 * done in pieces of NIC_TAKE_WORK, each of which looks at everything anew.
 */
#include "dev/nic.h"

#include "claim.h"
#include "dev/nic_time.h"
#include "frame.h"
#include "hold.h"
#include "kernel.h"
#include "x86/insn.h"

#define FLAGS_ALL (EXO_TX_MORE | EXO_TX_CHECKSUM | EXO_TX_SEGMENT4 | EXO_TX_SEGMENT6)

/* A kick under way. */
struct kick {
	struct env *env;
	struct nic *nic;
	struct packets *ring;
	int64_t done;           /* parts taken by the pieces before this */
	bool tree;              /* tree_lock is held */
	bool lent;              /* nothing was taken: tree_lock is needed */
	bool more;              /* another piece is to come: parts are left, or sending is */
	bool soon;              /* the timer goes on with it: nic_time_arm */
};

/* Pin what a claim of the kicking environment lends. */
static int part_lend(const struct kick *k, const struct exo_tx *t, struct packets_part *p)
{
	uint64_t pfn = t->at >> EXO_PAGE_SHIFT, count = part_frames(t->at, t->bytes);
	struct exo_cap *c;
	int err;

	if (!k->tree)           /* it was in the data area when the ring was looked at */
		return -EXO_E_STALE;
	err = claim_find(k->env, t->slot, EXO_KIND_FRAME, EXO_R_READ, &c);
	if (!err)
		err = claim_lends(c, pfn, count);
	if (err < 0)
		return err;
	frame_pin(c, pfn, count);
	k->ring->lent += t->bytes;
	packets_show(k->ring, lent);
	p->claim = slot_sid(c);
	p->pa = t->at;
	return 0;
}

static int part_place(const struct kick *k, const struct exo_tx *t, struct packets_part *p)
{
	if (!t->bytes || t->bytes > NIC_SEND_MAX)
		return -EXO_E_RANGE;
	if (t->flags & ~(unsigned)FLAGS_ALL)
		return -EXO_E_ARG;
	if (t->slot)
		return part_lend(k, t, p);
	if (!range_fits(t->at, t->bytes, k->ring->data_frames * EXO_PAGE_SIZE))
		return -EXO_E_RANGE;
	p->pa = packets_data(k->ring) + t->at;
	return 0;
}

/*
 * A part that is wrong stays in its place, so that its packet is refused in its turn.  How much
 * work it was: see NIC_TAKE_WORK.
 */
static unsigned part_take(const struct kick *k)
{
	struct packets *r = k->ring;
	struct exo_tx t = packets_tx(r)[r->tx_taken % EXO_PACKETS];
	struct packets_part p;
	int err;

	/* From here on the compiler must read the copy, not the page again. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	p = (struct packets_part){ .flags = t.flags & EXO_TX_MORE, .bytes = t.bytes,
		.segment = t.segment, .header = t.header, .checksum_start = t.checksum_start,
		.checksum_offset = t.checksum_offset };
	err = part_place(k, &t, &p);
	if (err < 0) {
		p.refused = 1;
		p.pa = (uint64_t)-err;
	} else {
		p.flags = t.flags & 0xff;
	}
	r->part[r->tx_taken++ % EXO_PACKETS] = p;
	return 2 + (p.claim ? (unsigned)part_frames(p.pa, p.bytes) : 0);
}

/* Take parts until that was work enough: how many of `count`.  Sending is as much again. */
static int64_t parts_take(struct kick *k, int64_t count)
{
	int64_t taken = 0;
	unsigned work = 0;

	for (; taken < count && work < NIC_TAKE_WORK; taken++)
		work += part_take(k);
	k->more = work > NIC_TAKE_WORK / 2;
	packets_show(k->ring, tx_taken);
	if (taken)
		packets_queue_up(k->nic, k->ring);
	return taken;
}

/* Parts that the owner wrote and that were not taken. */
static int64_t parts_new(const struct packets *r)
{
	uint32_t tail = __atomic_load_n(&packets_page(r)->tx_tail, __ATOMIC_ACQUIRE);
	uint32_t count = tail - r->tx_taken;

	return count > EXO_PACKETS - (r->tx_taken - r->tx_done) ? -EXO_E_RANGE : (int64_t)count;
}

/* Is one of them lent?  A look, no more: what counts is what part_take reads. */
static bool parts_lent(const struct packets *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct exo_tx *t = &packets_tx(r)[(r->tx_taken + i) % EXO_PACKETS];

		if (__atomic_load_n(&t->slot, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* May these rings be kicked?  The NIC's lock held: the claim they are bound by is still there. */
static int ring_check(const struct packets *r)
{
	const struct exo_cap *claim = slot_at(r->claim);

	if (r->ending || claim->kind != EXO_KIND_NIC || claim->gen != r->claim_gen)
		return -EXO_E_STALE;
	return claim->flags & EXO_CAP_FROZEN ? -EXO_E_FROZEN : 0;
}

/* All was taken: send some of what waits. */
static void kick_submit(struct kick *k)
{
	struct packets *r = k->ring;
	struct nic_queue *q = packets_queue(k->nic, r);

	q->eager |= __atomic_load_n(&packets_page(r)->tx_wake, __ATOMIC_RELAXED) != 0;
	k->soon |= nic_submit(k->nic, NIC_SEND_BATCH, r);
	if (k->soon)
		nic_time_soon(q, read_tsc());
}

/* Take and, if that was the last piece, send: how many parts. */
static int64_t kick_locked(struct kick *k)
{
	struct packets *r = k->ring;
	int64_t count = ring_check(r);

	if (count < 0)
		return count;
	k->soon |= nic_reap(k->nic, r->queue);
	count = parts_new(r);
	if (count < 0)
		return count;
	if (count > EXO_PACKETS - k->done)      /* its owner adds to them meanwhile */
		count = EXO_PACKETS - k->done;
	k->lent = !k->tree && parts_lent(r, (uint32_t)count);
	if (k->lent)
		return 0;
	count = parts_take(k, count);
	if (!k->more)
		kick_submit(k);
	return count;
}

/* Which rings the name means: looked up without a lock, sure while they are bound. */
static int kick_find(struct kick *k, uint64_t name)
{
	struct exo_cap *c;
	uint64_t pfn;
	uint32_t nic;
	int err = claim_find(k->env, name, EXO_KIND_PACKETS, EXO_R_CONTROL, &c);

	if (err < 0)
		return err;
	if (c->flags & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	pfn = c->lo;
	if (!claim_same(c, name))
		return -EXO_E_STALE;
	k->ring = packets_at(pfn);
	nic = __atomic_load_n(&k->ring->nic, __ATOMIC_ACQUIRE);
	if (!nic)
		return -EXO_E_ARG;
	k->nic = &nics.nic[nic - 1];
	return 0;
}

static int64_t kick(struct kick *k, uint64_t name)
{
	int64_t result = kick_find(k, name);

	if (result < 0)
		return result;
	lock_take(&k->nic->lock);
	if (k->ring->nic == (uint32_t)(k->nic - nics.nic) + 1)
		result = kick_locked(k);
	else
		result = -EXO_E_ARG;
	nic_tell_all(k->nic);
	lock_release(&k->nic->lock);
	return result;
}

/* A piece of a kick; the locks are free before and after. */
static int64_t kick_piece(struct kick *k, uint64_t name)
{
	int64_t result;

	k->more = k->lent = false;
	result = kick(k, name);
	if (!k->lent)
		return result;
	k->tree = true;
	tree_share();
	result = kick(k, name);
	tree_unshare();
	k->tree = false;
	return result;
}

int64_t sys_nic_kick(struct env *e, uint64_t packets)
{
	struct kick k = { .env = e };
	int64_t result;

	for (;;) {
		result = kick_piece(&k, packets);
		k.done += result > 0 ? result : 0;
		if (!k.more)
			break;
		interrupts_window();
	}
	if (k.soon)
		nic_time_arm();
	return k.done ? k.done : result;
}
