/* SPDX-License-Identifier: MIT */
/*
 * nic_turn.c - in what order waiting packets reach the device.
 *
 * Turns go by claims, since a claim is all the kernel knows of who shares the card: the claims that
 * were derived from one take turns, and the rings that are bound by it itself together have one
 * more; and so within each of them.  So nobody gets more by binding more rings, by narrowing the
 * claim further, or by giving parts of it to environments of its own: only who gave the claim can
 * give more of them.
 *
 * Invariant: a ring with waiting packets stands in its filter's `own`, that in its filter's `all`,
 * that in the `all` above, up to that of the NIC's own filter, in which turns of at most
 * NIC_TURN_PACKETS and NIC_TURN_BYTES are counted.  What is left of a turn is remembered when the
 * device is full or the batch over.  While rings wait, or somebody waits for what is in the device,
 * it interrupts when it has sent; else nobody is interrupted for that.  The NIC's lock is held.
 */
#include "dev/nic.h"

#include <base/util.h>

#include "charge.h"
#include "dev/nic_send.h"
#include "dev/nic_time.h"
#include "kernel.h"

static struct turn *turns_of(const struct nic *n)
{
	return &filter_at(n->filter)->all;
}

static void turn_begin(struct nic *n)
{
	n->turn_packets = NIC_TURN_PACKETS;
	n->turn_bytes = NIC_TURN_BYTES;
}

/* The rings whose turn it is, or NULL. */
static struct packets *turn_ring(const struct nic *n)
{
	struct turn *t = turn_first(turns_of(n));

	return t ? container_of(t, struct packets, turn) : NULL;
}

/* Those that wait under a filter are known above it. */
static void turn_enter_above(struct filter *f)
{
	for (; f->pub.parent; f = filter_at(f->pub.parent))
		if (!turn_enter(&f->all, &filter_at(f->pub.parent)->all))
			return;
}

static void turn_stand(struct nic *n, struct packets *r)
{
	struct filter *f = filter_at(r->filter);

	if (!turns_of(n)->first)
		turn_begin(n);
	if (turn_enter(&r->turn, &f->own) && turn_enter(&f->own, &f->all))
		turn_enter_above(f);
}

/* Who comes next has a turn of its own, unless it is of the same claim. */
static void turn_end(struct nic *n, struct packets *r)
{
	uint64_t first = turns_of(n)->first;

	turn_leave(&r->turn);
	if (turns_of(n)->first != first)
		turn_begin(n);
}

void nic_turn_rehang(struct filter *f, struct filter *heir)
{
	bool waits = f->all.up;

	if (waits)
		turn_leave(&f->all);
	filter_rehang(f, heir);
	if (waits)
		turn_enter_above(f);
}

void packets_queue_up(struct nic *n, struct packets *r)
{
	if (r->turn.up)
		return;
	if (!r->flight)         /* lest its packets overtake each other */
		r->queue = (uint8_t)(nic_cpu() % n->info->queues);
	turn_stand(n, r);
}

bool packets_cancel(struct nic *n, struct packets *r)
{
	if (r->turn.up)
		turn_end(n, r);
	return packets_refuse_rest(n, r);
}

/* One packet of the ring whose turn it is: what became of it. */
static enum packet_end turn_step(struct nic *n, struct packets *r, unsigned *copies,
                                 uint64_t *since)
{
	struct packet_cost cost = { .since = *since };
	enum packet_end end = packet_send(n, r->queue, r, &cost);

	switch (end) {
	case PACKET_NONE:
		turn_end(n, r);
		break;
	case PACKET_SENT:
	case PACKET_REFUSED:
		n->turn_packets--;
		n->turn_bytes -= (uint32_t)min_u64(cost.bytes, n->turn_bytes);
		if (!n->turn_packets || !n->turn_bytes) {
			turn_pass(&r->turn);
			turn_begin(n);
		}
		break;
	case PACKET_WAITS:
		break;
	}
	*copies += cost.copies;
	*since = cost.since;
	return end;
}

/*
 * Ask for an interrupt if somebody needs one; else the packets are looked after now and then.
 * true: some that the device has sent before it saw that are left.
 */
static bool queue_settle(struct nic *n, unsigned queue, bool waited_for)
{
	struct nic_queue *q = &n->queue[queue];
	bool needed, more = false;

	q->eager = q->eager && q->flight;
	needed = q->flight && (waited_for || q->eager);
	n->ops->send_interrupts(n, queue, needed);
	if (needed)
		more = nic_reap(n, queue);
	if (q->flight && !needed)
		nic_time_late(q);
	return more;
}

/* All queues: the ring whose turn it is waits for its own.  true: no interrupt goes on with it. */
static bool queues_settle(struct nic *n)
{
	const struct packets *r = turn_ring(n);
	bool more = false;

	for (unsigned i = 0; i < n->info->queues; i++)
		more |= queue_settle(n, i, r && r->queue == i);
	return more || (r && !n->queue[r->queue].flight);
}

static void queues_kick(struct nic *n, unsigned told)
{
	n->info->rounds += told != 0;
	for (unsigned i = 0; told >> i; i++)
		if (told >> i & 1)
			n->ops->kick(n, i);
}

/*
 * Each step but a full device's takes parts off a ring, or a ring out of the turns: both count,
 * since there may be any number of rings that have nothing to send; and so do the frames of packets
 * that are refused, which may be many more than those of a packet.
 */
bool nic_submit(struct nic *n, unsigned batch, const struct packets *own)
{
	uint64_t since = charge_begin();
	unsigned told = 0, copies = 0;
	uint32_t first = n->unpinned;
	struct packets *r;

	for (unsigned i = 0; (r = turn_ring(n)) && copies < NIC_RECEIVE_BATCH &&
	                     i + (n->unpinned - first) / NIC_SEND_FRAMES < batch;
	     i++) {
		enum packet_end end = turn_step(n, r, &copies, &since);

		if (end == PACKET_WAITS)
			break;
		if (end == PACKET_SENT)
			told |= 1u << r->queue;
		charge_work(r != own ? packets_env(r) : NULL, &since);
	}
	queues_kick(n, told);
	return queues_settle(n);
}
