/* SPDX-License-Identifier: MIT */
/*
 * disk_request.c - taking requests off a ring: each is copied once, checked, pinned, queued.
 *
 * Invariant: what lies in the ring's pages is hostile: indices are compared with the kernel's own,
 * a request is read once, and nothing in it is used before its check.  Check and pin happen with
 * tree_lock held: a revocation comes before (the request is refused) or after (it sees the pin).
 */
#include "dev/disk.h"

#include "claim.h"
#include "frame.h"
#include "kernel.h"

/* Are these frames memory that the claim at `c` covers and still holds? */
static int buffer_check(const struct exo_cap *c, uint64_t pfn, unsigned count)
{
	if (c->flags & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	if (pfn < c->lo || !range_fits(pfn - c->lo, count, c->hi - c->lo))
		return -EXO_E_RANGE;
	if (!(c->flags & EXO_CAP_SHARE) && !frame_range_held(pfn, pfn + count, slot_sid(c)))
		return -EXO_E_SPLIT;
	for (unsigned i = 0; i < count; i++) {
		if (!frame_entry(pfn + i) || frame_use(pfn + i) != EXO_USE_MEMORY)
			return -EXO_E_USE;
	}
	return 0;
}

/* Blocks of the request within the binding and its rights. */
static int blocks_check(const struct ring *r, const struct disk *d, const struct exo_disk_req *q)
{
	if (!q->count || q->count > EXO_DISK_MAX_BYTES / d->info.block_bytes)
		return -EXO_E_RANGE;
	if (q->block < r->lo || !range_fits(q->block - r->lo, q->count, r->hi - r->lo))
		return -EXO_E_RANGE;
	if (q->op == EXO_DISK_READ)
		return r->rights & EXO_R_READ ? 0 : -EXO_E_RIGHTS;
	if (d->info.flags & EXO_DISK_RO)
		return -EXO_E_RIGHTS;
	return r->rights & EXO_R_WRITE ? 0 : -EXO_E_RIGHTS;
}

/* Check one request for `e` and fill `out`; the claim of its frames, or NULL for a flush. */
static int request_check(const struct ring *r, const struct disk *d, struct env *e,
                         const struct exo_disk_req *q, struct ring_request *out,
                         struct exo_cap **claim)
{
	int err;

	*claim = NULL;
	*out = (struct ring_request){ .op = (uint8_t)q->op, .tag = q->tag };
	if (q->op == EXO_DISK_FLUSH)
		return 0;
	if (q->op != EXO_DISK_READ && q->op != EXO_DISK_WRITE)
		return -EXO_E_ARG;
	if (q->offset >= EXO_PAGE_SIZE || q->offset % 512)
		return -EXO_E_ARG;
	err = blocks_check(r, d, q);
	if (!err)
		err = claim_find(e, q->slot, EXO_KIND_FRAME,
		                 q->op == EXO_DISK_READ ? EXO_R_WRITE : EXO_R_READ, claim);
	if (err < 0)
		return err;
	out->block = q->block;
	out->bytes = q->count * d->info.block_bytes;
	out->offset = (uint16_t)q->offset;
	out->pfn = q->pfn;
	out->frames = (uint8_t)((q->offset + out->bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	out->claim = slot_sid(*claim);
	return buffer_check(*claim, out->pfn, out->frames);
}

/* May this ring be kicked? tree_lock held. */
static int kick_check(struct env *e, uint64_t name, struct ring **out)
{
	const struct exo_cap *block;
	struct exo_cap *c;
	struct ring *r;
	int err = claim_find(e, name, EXO_KIND_RING, EXO_R_CONTROL, &c);

	if (err < 0)
		return err;
	r = ring_at(c->lo);
	if (c->flags & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	if (!r->disk)
		return -EXO_E_ARG;
	block = slot_at(r->block);
	if (r->ending || block->kind != EXO_KIND_BLOCK || block->gen != r->block_gen)
		return -EXO_E_STALE;
	if (block->flags & EXO_CAP_FROZEN)
		return -EXO_E_FROZEN;
	*out = r;
	return 0;
}

/*
 * How many requests to take: those the owner wrote, as far as there is room for their completions.
 * A completion index that the owner cannot have reached counts as no room.
 */
static int64_t ring_new_requests(const struct ring *r)
{
	struct exo_disk_cq_page *cq = ring_cq(r);
	uint32_t written = __atomic_load_n(&cq->sq_tail, __ATOMIC_ACQUIRE) - r->sq_head;
	uint32_t cq_head = __atomic_load_n(&cq->cq_head, __ATOMIC_ACQUIRE);
	uint32_t outstanding = r->sq_head - cq_head;

	if (written > EXO_DISK_RING)
		return -EXO_E_RANGE;
	if (r->cq_tail - cq_head > EXO_DISK_RING || outstanding >= EXO_DISK_RING)
		return 0;
	return (int64_t)min_u64(written, EXO_DISK_RING - outstanding);
}

/* Take one request: it is queued, or completed at once; true: the latter. */
static bool ring_take_one(struct disk *d, struct ring *r, struct env *e)
{
	unsigned n = (unsigned)__builtin_ctzl(~r->used);
	struct exo_disk_req q = ring_sq(r)->req[r->sq_head % EXO_DISK_RING];
	struct ring_request *out = &r->request[n];
	struct exo_cap *claim;
	int err;

	/* From here on the compiler must read the copy, not the page again. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	r->sq_head++;
	err = request_check(r, d, e, &q, out, &claim);
	if (err < 0 || (q.op == EXO_DISK_FLUSH && !d->flushes)) {
		ring_complete(r, q.tag, err);
		return true;
	}
	if (claim)
		frame_pin(claim, out->pfn, out->frames);
	r->used |= 1ul << n;
	ring_queue(d, r, n);
	return false;
}

static void ring_take(struct disk *d, struct ring *r, struct env *e, int64_t count)
{
	bool tell = false;

	for (int64_t i = 0; i < count; i++)
		tell |= ring_take_one(d, r, e);
	__atomic_store_n(&ring_cq(r)->sq_head, r->sq_head, __ATOMIC_RELEASE);
	if (tell)
		ring_tell(r);
}

/*
 * Take at most `most` requests, and complete what the device has done: how many, or an error.
 * *taken_by: the disk.
 */
static int64_t kick_take(struct env *e, uint64_t ring, int64_t most, struct disk **taken_by)
{
	struct ring *r = NULL;
	struct disk *d;
	int64_t count;

	lock_take(&tree_lock);
	count = kick_check(e, ring, &r);
	if (count < 0) {
		lock_release(&tree_lock);
		return count;
	}
	d = *taken_by = &disks.disk[r->disk - 1];
	lock_take(&d->lock);
	disk_reap(d);
	count = ring_new_requests(r);
	if (count > most)
		count = most;
	if (count > 0)
		ring_take(d, r, e, count);
	lock_release(&tree_lock);
	lock_release(&d->lock);
	return count;
}

/* Give the disk what waits, in pieces as well. */
static void kick_submit(struct disk *d)
{
	bool more = true;

	while (more) {
		interrupts_window();
		lock_take(&d->lock);
		more = disk_submit(d);
		lock_release(&d->lock);
	}
}

/* In pieces, between which interrupts are let in; at most as many requests as a ring has. */
int64_t sys_disk_kick(struct env *e, uint64_t ring)
{
	struct disk *d = NULL;
	int64_t done = 0, count;

	do {
		int64_t most = (int64_t)min_u64(EXO_DISK_RING - done, DISK_TAKE_BATCH);

		if (done)
			interrupts_window();
		count = kick_take(e, ring, most, &d);
		done += count > 0 ? count : 0;
	} while (count == DISK_TAKE_BATCH);
	if (d)
		kick_submit(d);
	return done ? done : count;
}
