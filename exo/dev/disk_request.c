/* SPDX-License-Identifier: MIT */
/*
 * disk_request.c - taking requests off a ring: each is copied once, checked, pinned, queued.
 *
 * Invariant: what lies in the ring's pages is hostile: indices are compared with the kernel's own,
 * an entry is read once, and nothing in it is used before its check.  All entries of a request are
 * taken, or refused, before the locks are left: none is pinned for an owner's promise of more.
 * Check and pin happen with tree_lock held: a revocation comes before (the request is refused) or
 * after (it sees the pin).
 */
#include "dev/disk.h"

#include "claim.h"
#include "frame.h"
#include "hold.h"
#include "kernel.h"

/* A request being taken, entry by entry. */
struct take {
	struct ring *ring;
	struct disk *disk;
	struct env *env;
	unsigned first, last;   /* its places in ring->request; `last` counts once there is one */
	unsigned pieces;        /* so far, this one not counted */
	uint64_t block;         /* the next piece's */
	uint32_t bytes;         /* so far */
	uint16_t op;
};

/* Blocks of the entry within the binding and its rights. */
static int blocks_check(const struct take *t, const struct exo_disk_req *q)
{
	const struct ring *r = t->ring;

	if (!q->count || q->block < r->lo ||
	    !range_fits(q->block - r->lo, q->count, r->hi - r->lo))
		return -EXO_E_RANGE;
	if (q->op == EXO_DISK_READ)
		return r->rights & EXO_R_READ ? 0 : -EXO_E_RIGHTS;
	if (t->disk->info.flags & EXO_DISK_RO)
		return -EXO_E_RIGHTS;
	return r->rights & EXO_R_WRITE ? 0 : -EXO_E_RIGHTS;
}

/* Is the entry of a kind that there is, and one with the pieces before it? */
static int shape_check(const struct take *t, const struct exo_disk_req *q)
{
	const struct exo_disk_info *info = &t->disk->info;

	if (q->op < EXO_DISK_READ || q->op > EXO_DISK_DISCARD ||
	    q->flags & ~(unsigned)(EXO_DISK_MORE | EXO_DISK_FUA))
		return -EXO_E_ARG;
	if (q->op != EXO_DISK_WRITE && q->flags & EXO_DISK_FUA)
		return -EXO_E_ARG;
	if (q->op >= EXO_DISK_FLUSH && q->flags & EXO_DISK_MORE)
		return -EXO_E_ARG;
	if (t->pieces && (q->op != t->op || q->block != t->block))
		return -EXO_E_ARG;
	if (t->pieces >= info->pieces)
		return -EXO_E_RANGE;
	if (q->op == EXO_DISK_DISCARD && !info->discard)
		return -EXO_E_ABSENT;
	return 0;
}

/* The buffer of one piece; fills `out` and the claim of its frames. */
static int buffer_check(const struct take *t, const struct exo_disk_req *q,
                        struct ring_request *out, struct exo_cap **claim)
{
	uint32_t block_bytes = t->disk->info.block_bytes, bytes;
	int err;

	if (q->offset >= EXO_PAGE_SIZE || q->offset % 512)
		return -EXO_E_ARG;
	if (q->count > (EXO_DISK_MAX_BYTES - t->bytes) / block_bytes)
		return -EXO_E_RANGE;
	err = claim_find(t->env, q->slot, EXO_KIND_FRAME,
	                 q->op == EXO_DISK_READ ? EXO_R_WRITE : EXO_R_READ, claim);
	if (err < 0)
		return err;
	bytes = q->count * block_bytes;
	out->pfn = q->pfn;
	out->offset = (uint16_t)q->offset;
	out->frames = (uint8_t)((q->offset + bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	return claim_lends(*claim, q->pfn, out->frames);
}

/* Check one entry and fill `out`; *claim: of its frames, or NULL for a flush or discard. */
static int entry_check(const struct take *t, const struct exo_disk_req *q,
                       struct ring_request *out, struct exo_cap **claim)
{
	int err = shape_check(t, q);

	*claim = NULL;
	if (err < 0 || q->op == EXO_DISK_FLUSH)
		return err;
	err = blocks_check(t, q);
	if (err < 0)
		return err;
	if (q->op == EXO_DISK_DISCARD)
		return q->count > t->disk->info.discard ? -EXO_E_RANGE : 0;
	return buffer_check(t, q, out, claim);
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
 * How many entries to take: those the owner wrote, as far as there is room for their completions.
 * A completion index that the owner cannot have reached counts as no room.
 */
static int64_t ring_new_entries(const struct ring *r)
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

/* The next entry, which the compiler must not read again from the page. */
static struct exo_disk_req ring_next_entry(struct ring *r)
{
	struct exo_disk_req q = ring_sq(r)->req[r->sq_head++ % EXO_DISK_RING];

	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return q;
}

/* A place for the entry, behind the pieces before it. */
static struct ring_request *take_place(struct take *t, const struct exo_disk_req *q)
{
	struct ring *r = t->ring;
	unsigned n = (unsigned)__builtin_ctzl(~r->used);
	struct ring_request *out = &r->request[n];

	r->used |= 1ul << n;
	*out = (struct ring_request){ .op = (uint8_t)q->op, .tag = q->tag, .block = q->block,
		.count = q->count, .next = RING_NONE, .fua = q->flags & EXO_DISK_FUA };
	if (t->pieces)
		r->request[t->last].next = (uint8_t)n;
	else
		t->first = n;
	t->last = n;
	return out;
}

/* Take one entry of a request: 0, or why the request is refused.  *work: frames pinned. */
static int take_entry(struct take *t, const struct exo_disk_req *q, unsigned *work)
{
	struct ring_request *out = take_place(t, q);
	struct exo_cap *claim;
	int err = entry_check(t, q, out, &claim);

	t->pieces++;
	if (err < 0 || !claim)
		return err;
	frame_pin(claim, out->pfn, out->frames);
	out->claim = slot_sid(claim);
	*work += out->frames;
	t->op = q->op;
	t->block = q->block + q->count;
	t->bytes += q->count * t->disk->info.block_bytes;
	return 0;
}

/* The request is complete, or refused: it is queued, or completed at once; true: the latter. */
static bool take_end(struct take *t, int err)
{
	struct ring_request *first = &t->ring->request[t->first];

	first->bytes = t->bytes;
	if (err < 0 || (first->op == EXO_DISK_FLUSH && !(t->disk->can & DISK_CAN_FLUSH))) {
		ring_finish(t->ring, t->first, err);
		return true;
	}
	ring_queue(t->disk, t->ring, t->first);
	return false;
}

/*
 * Take one request of at most `most` entries, how many; what is left of a refused one is passed
 * over, entry by entry.  *work: see DISK_TAKE_WORK; *tell: set if one was completed.
 */
static int64_t request_take(struct take *t, int64_t most, unsigned *work, bool *tell)
{
	struct ring *r = t->ring;
	int64_t taken = 0;
	bool more;
	int err;

	do {
		struct exo_disk_req q = ring_next_entry(r);

		err = take_entry(t, &q, work);
		more = q.flags & EXO_DISK_MORE;
		*work += 8;
		taken++;
		if (r->refused)
			err = r->refused;
		else if (!err && more && taken == most)
			err = -EXO_E_ARG;
	} while (!err && more);
	r->refused = more ? err : 0;
	*tell |= take_end(t, err);
	return taken;
}

/* Take entries until that was work enough, at least a request: how many. */
static int64_t ring_take(struct disk *d, struct ring *r, struct env *e, int64_t most)
{
	int64_t taken = 0;
	unsigned work = 0;
	bool tell = false;

	while (taken < most && work < DISK_TAKE_WORK) {
		struct take t = { .ring = r, .disk = d, .env = e };

		taken += request_take(&t, most - taken, &work, &tell);
	}
	__atomic_store_n(&ring_cq(r)->sq_head, r->sq_head, __ATOMIC_RELEASE);
	if (tell)
		ring_tell(r);
	return taken;
}

/* A kick under way. */
struct disk_kick {
	struct env *env;
	uint64_t ring;
	struct disk *disk;      /* the ring's; NULL: not known yet */
	bool more;              /* entries are left */
};

/* Take some entries, and complete what the device has done: how many, or an error. */
static int64_t kick_take(struct disk_kick *k)
{
	struct ring *r = NULL;
	struct disk *d;
	int64_t count;

	k->more = false;
	tree_share();
	count = kick_check(k->env, k->ring, &r);
	if (count < 0) {
		tree_unshare();
		return count;
	}
	d = k->disk = &disks.disk[r->disk - 1];
	lock_take(&d->lock);
	disk_reap(d);
	count = ring_new_entries(r);
	if (count > 0) {
		int64_t taken = ring_take(d, r, k->env, count);

		k->more = taken < count;
		count = taken;
	}
	tree_unshare();
	lock_release(&d->lock);
	return count;
}

/* Give the disk what waits, in pieces as well; others may add to that for ever. */
static void kick_submit(struct disk *d)
{
	bool more = true;

	for (unsigned i = 0; more && i < DISK_KICK_ROUNDS; i++) {
		interrupts_window();
		lock_take(&d->lock);
		more = disk_submit(d, 0);
		lock_release(&d->lock);
	}
}

/* In pieces, with interrupts let in between; no request begins behind as many as a ring has. */
int64_t sys_disk_kick(struct env *e, uint64_t ring)
{
	struct disk_kick k = { .env = e, .ring = ring };
	int64_t done = 0, count;

	do {
		if (done)
			interrupts_window();
		count = kick_take(&k);
		done += count > 0 ? count : 0;
	} while (k.more && done < EXO_DISK_RING);
	if (k.disk)
		kick_submit(k.disk);
	return done ? done : count;
}
