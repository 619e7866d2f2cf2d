/* SPDX-License-Identifier: MIT */
/*
 * disk_turn.c - in what order waiting requests reach the device.
 *
 * Invariant: rings with waiting requests stand in a circle and get turns of at most DISK_TURN_BYTES
 * or one flush or discard, of which a ring has at most one in the device, and after it rests from
 * them for as long as that took while others use the disk: however many it asks for, others find
 * room in the queue and half of the device's time.  What is left of a turn is remembered when
 * the device is full, so that a ring keeps its place for no longer than its share.  The disk's lock
 * is held throughout.
 */
#include "dev/disk.h"

#include "charge.h"
#include "claim.h"
#include "kernel.h"
#include "timer.h"
#include "x86/insn.h"

enum {
	REST_WAKE = 4,          /* rings that end their rest at a time */
	REST_MOST = 10,         /* a second's part that a rest is at most */
	WORK_GIVE = DISK_REAP_WORK / DISK_SUBMIT_BATCH, /* of a request that the device gets, */
	WORK_PASS = 2,          /* or of a ring that is passed over: see DISK_REAP_WORK */
};

/* Into a circle, behind all others. */
static void circle_add(uint64_t *head, struct ring *r)
{
	uint64_t me = ring_pfn(r);
	struct ring *first;

	if (!*head) {
		r->turn_next = r->turn_prev = *head = me;
		return;
	}
	first = ring_at(*head);
	r->turn_next = *head;
	r->turn_prev = first->turn_prev;
	ring_at(r->turn_prev)->turn_next = me;
	first->turn_prev = me;
}

/* Out of it; if it was the first, the next is. */
static void circle_remove(uint64_t *head, struct ring *r)
{
	uint64_t me = ring_pfn(r);

	if (*head == me)
		*head = r->turn_next != me ? r->turn_next : 0;
	ring_at(r->turn_prev)->turn_next = r->turn_next;
	ring_at(r->turn_next)->turn_prev = r->turn_prev;
	r->turn_next = r->turn_prev = 0;
}

static void turn_enter(struct disk *d, struct ring *r)
{
	if (!d->turn)
		d->turn_left = DISK_TURN_BYTES;
	r->in_turn = true;
	circle_add(&d->turn, r);
}

static void turn_leave(struct disk *d, struct ring *r)
{
	if (d->turn == ring_pfn(r))
		d->turn_left = DISK_TURN_BYTES;
	r->in_turn = false;
	circle_remove(&d->turn, r);
}

static void rest_leave(struct disk *d, struct ring *r)
{
	r->resting = false;
	r->rest_tsc = 0;
	circle_remove(&d->rest, r);
}

/* The first waiting request. */
static struct ring_request *ring_first(struct ring *r)
{
	return &r->request[r->order[r->wait_head % EXO_DISK_RING]];
}

/* What can keep the device busy for long, with no bytes to show for it. */
static bool request_is_heavy(const struct ring_request *q)
{
	return q->op == EXO_DISK_FLUSH || q->op == EXO_DISK_DISCARD;
}

/* Has it something for the device, if not now then after a rest? */
static bool ring_is_ready(struct ring *r)
{
	return r->wait_head != r->wait_tail && !(r->heavy && request_is_heavy(ring_first(r)));
}

/* Has it to wait for as long as its last flush or discard took?  Not if nobody else was there. */
static bool ring_has_rest(const struct disk *d, struct ring *r)
{
	return request_is_heavy(ring_first(r)) && d->shared_tsc >= r->heavy_tsc &&
	       read_tsc() < r->rest_tsc;
}

/* A ring that is ready stands in line: for a turn, or for the end of its rest; not if it ends. */
static void ring_stand(struct disk *d, struct ring *r)
{
	if (r->in_turn || r->resting || r->ending || !ring_is_ready(r))
		return;
	if (ring_has_rest(d, r)) {
		r->resting = true;
		circle_add(&d->rest, r);
	} else {
		turn_enter(d, r);
	}
}

/* Who rests comes back when its time is over, a few at a time; the timer looks if nobody does. */
static void rest_wake(struct disk *d)
{
	for (unsigned i = 0; i < REST_WAKE && d->rest; i++) {
		struct ring *r = ring_at(d->rest);

		if (read_tsc() < r->rest_tsc)
			break;
		rest_leave(d, r);
		turn_enter(d, r);
	}
	if (d->rest && !d->timer.link)
		timer_set(&d->timer, max_u64(ring_at(d->rest)->rest_tsc, read_tsc()));
}

void ring_queue(struct disk *d, struct ring *r, unsigned n)
{
	r->order[r->wait_tail++ % EXO_DISK_RING] = (uint8_t)n;
	ring_stand(d, r);
}

void ring_returned(struct disk *d, struct ring *r, unsigned n)
{
	uint64_t now;

	d->flight--;
	r->flight--;
	if (!request_is_heavy(&r->request[n]))
		return;
	now = read_tsc();
	r->rest_tsc = now + min_u64(now - r->heavy_tsc, machine->tsc_hz / REST_MOST);
	r->heavy = false;
	ring_stand(d, r);
}

bool ring_cancel(struct disk *d, struct ring *r)
{
	unsigned work = 0;

	if (r->in_turn)
		turn_leave(d, r);
	if (r->resting)
		rest_leave(d, r);
	while (r->wait_head != r->wait_tail && work < DISK_REAP_WORK)
		work += ring_finish(r, r->order[r->wait_head++ % EXO_DISK_RING], -EXO_E_STALE);
	if (work)
		ring_tell(r);
	return r->wait_head != r->wait_tail;
}

/* A flush or a discard takes a whole turn. */
static uint32_t request_cost(const struct ring_request *q)
{
	return request_is_heavy(q) ? DISK_TURN_BYTES : q->bytes;
}

/* Gather the pieces of request n: how many. */
static uint32_t request_gather(struct disk *d, const struct ring *r, unsigned n)
{
	uint32_t pieces = 0;

	for (; n != RING_NONE; n = r->request[n].next) {
		const struct ring_request *q = &r->request[n];

		d->piece[pieces++] = (struct disk_piece){
			.pa = (q->pfn << EXO_PAGE_SHIFT) + q->offset,
			.bytes = q->count * d->info.block_bytes };
	}
	return pieces;
}

/* Give request n to the device: what its submit returned. */
static int request_submit(struct disk *d, struct ring *r, unsigned n)
{
	const struct ring_request *q = &r->request[n];
	struct disk_io io = {
		.piece = d->piece, .block = q->block, .bytes = q->bytes, .count = q->count,
		.op = q->op, .fua = q->fua && d->can & DISK_CAN_FUA,
		.cookie = ring_pfn(r) * EXO_DISK_RING + n };

	if (!request_is_heavy(q))
		io.pieces = request_gather(d, r, n);
	return d->ops->submit(d, &io);
}

/*
 * Is a claim on frames of request n being ended?  It cannot go meanwhile: the request is counted in
 * it.
 */
static bool request_is_void(const struct ring *r, unsigned n)
{
	for (; n != RING_NONE; n = r->request[n].next) {
		exo_sid claim = r->request[n].claim;

		if (claim && (__atomic_load_n(&slot_at(claim)->flags, __ATOMIC_ACQUIRE) &
		              EXO_CAP_ENDING))
			return true;
	}
	return false;
}

/*
 * The first waiting request leaves its ring for the device, or ends here if that is dead or its
 * frames are taken.  *work grows by what that was.
 */
static int turn_step(struct disk *d, struct ring *r, unsigned *work)
{
	unsigned n = r->order[r->wait_head % EXO_DISK_RING];
	bool is_void = request_is_void(r, n);
	int err = is_void ? -EXO_E_STALE : request_submit(d, r, n);
	uint64_t now;

	if (err == EXO_MORE)
		return err;
	r->wait_head++;
	if (!is_void)
		d->turn_left -= request_cost(&r->request[n]);
	if (err < 0) {
		*work += ring_finish(r, n, err);
		ring_tell(r);
		return 0;
	}
	*work += WORK_GIVE;
	if (!d->flight++)
		d->life_tsc = read_tsc();
	r->flight++;
	now = read_tsc();
	if (d->last != ring_pfn(r)) {
		d->last = ring_pfn(r);
		d->shared_tsc = now;
	}
	if (request_is_heavy(&r->request[n])) {
		r->heavy = true;
		r->heavy_tsc = now;
	}
	if (r->round != d->rounds) {
		r->round = d->rounds;
		r->kicks++;
		__atomic_store_n(&ring_cq(r)->kicks, r->kicks, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Is the turn of this ring over? */
static bool turn_is_over(const struct disk *d, const struct ring *r)
{
	unsigned n = r->order[r->wait_head % EXO_DISK_RING];

	return !request_is_void(r, n) && request_cost(&r->request[n]) > d->turn_left;
}

/*
 * Ends: each step takes a waiting request, and every turn has room for at least one.  Requests that
 * end here, and rings that only change their place, count as well: there may be any number.
 */
bool disk_submit(struct disk *d, unsigned work)
{
	uint64_t began = charge_begin(), since = began;
	bool full = false, more;

	rest_wake(d);
	if (!d->turn)
		return false;
	d->rounds++;
	while (d->turn && !full && work < DISK_REAP_WORK) {
		struct ring *r = ring_at(d->turn);

		if (!ring_is_ready(r) || ring_has_rest(d, r)) {
			turn_leave(d, r);
			ring_stand(d, r);
			rest_wake(d);
			work += WORK_PASS;
		} else if (turn_is_over(d, r)) {
			d->turn = r->turn_next;
			d->turn_left = DISK_TURN_BYTES;
		} else {
			full = turn_step(d, r, &work) == EXO_MORE;
		}
		charge_work(ring_env(r), &since);
	}
	d->ops->kick(d);
	more = d->turn && !full;
	if (more && !d->flight) /* no interrupt will come */
		disk_later(d, began);
	return more;
}
