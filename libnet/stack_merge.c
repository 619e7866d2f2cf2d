/* SPDX-License-Identifier: MIT */
/*
 * stack_merge.c - TCP segments that follow each other go to the card as one packet, which it cuts.
 *
 * lwIP makes each segment and keeps it for retransmission, as ever; what it gives out in one turn
 * is put together here.  A packet on a ring costs the kernel and the card as much as dozens of
 * segments in it.  On the wire are the same bytes, but for IPv4's identification, and PSH, which
 * stands in the last segment only.
 *
 * Invariant: all segments of a packet have the headers of the first but for lengths, sums, the
 * identification, PSH, and sequence numbers, which are consecutive; all but the last have equal
 * payload.
 */
#include <lwip/pbuf.h>

#include "stack_packet.h"
#include "stack_parts.h"

#define SEGMENT_LEAST 64u       /* payload bytes: what the kernel lets a card cut */

void stack_merge_begin(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p)
{
	const struct net_stack_config *config = &ring->stack->config;
	const uint8_t *h = p->payload;

	k->tcp = stack_head_read(h, p->len, &k->head);
	k->grows = k->tcp && stack_head_plain(h, &k->head) &&
		   (stack_head_is_six(h) ? config->segment6 : config->segment4) &&
		   k->bytes - k->head.bytes >= SEGMENT_LEAST;
	k->first = k->tcp ? k->bytes - k->head.bytes : 0;
}

/* Is it the segment behind the last of the packet, which begins with h? */
static bool follows(const struct stack_packet *k, const uint8_t *h, const struct pbuf *p)
{
	const struct stack_head *head = &k->head;
	const uint8_t *next = p->payload;
	struct stack_head own;

	return stack_head_read(next, p->len, &own) && own.tcp == head->tcp &&
	       own.bytes == head->bytes && stack_head_same(h, next, head) &&
	       stack_head_window_same(h, next, head) && stack_head_plain(next, head) &&
	       stack_head_sequence(next, head) ==
		       stack_head_sequence(h, head) + k->bytes - head->bytes;
}

bool stack_merge(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p)
{
	uint8_t *h = ring->ring.data + k->part[0].at;
	uint32_t payload = p->tot_len - k->head.bytes;

	if (!k->parts || !k->grows || p->tot_len <= k->head.bytes || payload > k->first ||
	    payload > STACK_PACKET_MAX - k->bytes || !follows(k, h, p))
		return false;
	if (!stack_packet_add(ring, k, p, k->head.bytes))
		return false;
	stack_head_latest(h, p->payload, &k->head);
	k->grows = payload == k->first;
	ring->stack->stats.merged_out++;
	return true;
}

/* Lengths of the whole packet, and what the card needs to know to cut it. */
static void cut_leave(struct stack_packet *k, uint8_t *h)
{
	k->part[0].flags |= stack_head_is_six(h) ? EXO_TX_SEGMENT6 : EXO_TX_SEGMENT4;
	k->part[0].segment = (uint16_t)k->first;
	k->part[0].header = (uint16_t)k->head.bytes;
	stack_head_length_set(h, &k->head, k->bytes);
	stack_head_sum(h, &k->head);
}

void stack_merge_end(struct stack_ring *ring, struct stack_packet *k)
{
	uint8_t *h = ring->ring.data + k->part[0].at;

	if (!k->tcp || !ring->stack->config.checksum)
		return;
	if (k->bytes - k->head.bytes > k->first)
		cut_leave(k, h);
	stack_head_pseudo(h, &k->head, k->bytes);
	k->part[0].flags |= EXO_TX_CHECKSUM;
	k->part[0].checksum_start = (uint16_t)k->head.tcp;
	k->part[0].checksum_offset = STACK_HEAD_SUM;
}
