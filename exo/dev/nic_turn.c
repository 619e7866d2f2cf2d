/* SPDX-License-Identifier: MIT */
/*
 * nic_turn.c - in what order waiting packets reach the device.
 *
 * Invariant: rings with waiting packets stand in a circle, one a queue, and get turns of at most
 * NIC_TURN_PACKETS and NIC_TURN_BYTES.  What is left of a turn is remembered when the device is
 * full or the batch over.  While rings wait, or somebody waits for what is in the device, it
 * interrupts when it has sent; else nobody is interrupted for that.  The NIC's lock is held.
 */
#include "dev/nic.h"

#include "dev/nic_send.h"
#include "dev/nic_time.h"
#include "kernel.h"

static void turn_begin(struct nic_queue *q, uint64_t pfn)
{
	q->turn = pfn;
	q->turn_packets = NIC_TURN_PACKETS;
	q->turn_bytes = NIC_TURN_BYTES;
}

/* Into the circle, behind all others. */
static void turn_enter(struct nic_queue *q, struct packets *r)
{
	uint64_t me = packets_pfn(r);
	struct packets *first;

	r->in_turn = true;
	if (!q->turn) {
		r->turn_next = r->turn_prev = me;
		turn_begin(q, me);
		return;
	}
	first = packets_at(q->turn);
	r->turn_next = q->turn;
	r->turn_prev = first->turn_prev;
	packets_at(r->turn_prev)->turn_next = me;
	first->turn_prev = me;
}

/* Out of the circle; whose turn it was, the next has it. */
static void turn_leave(struct nic_queue *q, struct packets *r)
{
	uint64_t me = packets_pfn(r);

	if (q->turn == me)
		turn_begin(q, r->turn_next != me ? r->turn_next : 0);
	packets_at(r->turn_prev)->turn_next = r->turn_next;
	packets_at(r->turn_next)->turn_prev = r->turn_prev;
	r->turn_next = r->turn_prev = 0;
	r->in_turn = false;
}

void packets_queue_up(struct nic *n, struct packets *r)
{
	if (r->in_turn)
		return;
	if (!r->flight)         /* lest its packets overtake each other */
		r->queue = (uint8_t)(nic_cpu() % n->info->queues);
	turn_enter(packets_queue(n, r), r);
}

void packets_cancel(struct nic *n, struct packets *r)
{
	packets_refuse_all(n, r);
	if (r->in_turn)
		turn_leave(packets_queue(n, r), r);
}

/* One packet of the ring whose turn it is: what became of it. */
static enum packet_end turn_step(struct nic *n, unsigned queue, struct packets *r,
                                 unsigned *copies)
{
	struct nic_queue *q = &n->queue[queue];
	struct packet_cost cost = { 0 };
	enum packet_end end = packet_send(n, queue, r, &cost);

	switch (end) {
	case PACKET_NONE:
		turn_leave(q, r);
		break;
	case PACKET_SENT:
	case PACKET_REFUSED:
		q->turn_packets--;
		q->turn_bytes -= (uint32_t)min_u64(cost.bytes, q->turn_bytes);
		if (!q->turn_packets || !q->turn_bytes)
			turn_begin(q, r->turn_next);
		break;
	case PACKET_WAITS:
		break;
	}
	*copies += cost.copies;
	return end;
}

/* Ask for an interrupt if somebody needs one; else the packets are looked after now and then. */
static bool queue_settle(struct nic *n, unsigned queue)
{
	struct nic_queue *q = &n->queue[queue];
	bool needed;

	q->eager = q->eager && q->flight;
	needed = q->flight && (q->turn || q->eager);
	n->ops->send_interrupts(n, queue, needed);
	if (needed)
		nic_reap(n, queue);     /* what was sent before the device saw that */
	if (q->flight && !needed)
		nic_time_late(q);
	return q->turn && !q->flight;
}

/*
 * Each step but a full device's takes parts off a ring, or a ring off the circle: both count, since
 * there may be any number of rings that have nothing to send.
 */
bool nic_submit(struct nic *n, unsigned queue)
{
	struct nic_queue *q = &n->queue[queue];
	unsigned sent = 0, copies = 0;

	for (unsigned i = 0; q->turn && i < NIC_SEND_BATCH && copies < NIC_RECEIVE_BATCH; i++) {
		enum packet_end end = turn_step(n, queue, packets_at(q->turn), &copies);

		if (end == PACKET_WAITS)
			break;
		sent += end == PACKET_SENT;
	}
	if (sent) {
		n->info->rounds++;
		n->ops->kick(n, queue);
	}
	return queue_settle(n, queue);
}
