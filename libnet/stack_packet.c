/* SPDX-License-Identifier: MIT */
/*
 * stack_packet.c - from lwIP's pbuf chains into the parts of a packet.
 *
 * Headers and small pieces are copied into the ring's send area, which is used round and round;
 * large payload in registered memory is named where it is.  What lies behind the part before it
 * becomes more of that part.  lwIP's pbufs are not needed afterwards: who lends memory leaves it
 * as it is until it is acknowledged, and nothing is acknowledged that was not sent.
 */
#include "stack_packet.h"

#include <base/string.h>
#include <lwip/pbuf.h>

#include "stack_parts.h"

#define LEND_BYTES 128u         /* below this, copying is cheaper than pinning a frame */

/* What of a packet and its ring an addition changes; parts behind the last count for nothing. */
struct mark {
	uint32_t parts, bytes, last_bytes, last_taken, put, used;
};

static struct mark mark_set(const struct stack_ring *ring, const struct stack_packet *k)
{
	uint32_t last = k->parts ? k->parts - 1 : 0;

	return (struct mark){ k->parts, k->bytes, k->part[last].bytes, k->taken[last],
			      ring->send_put, ring->send_used };
}

static void mark_return(struct stack_ring *ring, struct stack_packet *k, const struct mark *m)
{
	uint32_t last = m->parts ? m->parts - 1 : 0;

	k->parts = m->parts;
	k->bytes = m->bytes;
	k->part[last].bytes = m->last_bytes;
	k->taken[last] = m->last_taken;
	ring->send_put = m->put;
	ring->send_used = m->used;
}

static struct exo_tx *part_next(struct stack_ring *ring, struct stack_packet *k)
{
	struct exo_tx *part = &k->part[k->parts];
	uint32_t out = ring->ring.tx_put - ring->freed;

	if (k->parts == EXO_PACKET_PARTS || k->parts >= EXO_PACKETS - out)
		return NULL;
	*part = (struct exo_tx){ .slot = 0 };
	k->taken[k->parts++] = 0;
	return part;
}

/* Use `count` bytes of the send area where it stands; `gap` before them are left out. */
static void area_use(struct stack_ring *ring, struct stack_packet *k, uint32_t gap, uint32_t count)
{
	ring->send_put = ring->send_put + gap == ring->send_bytes ? 0 : ring->send_put + gap;
	ring->send_put += count;
	ring->send_used += gap + count;
	k->taken[k->parts - 1] += gap + count;
}

/* A part of its own for bytes that are copied: in one piece, so the area's end may stay unused. */
static struct exo_tx *part_copied(struct stack_ring *ring, struct stack_packet *k, uint32_t count)
{
	uint32_t behind = ring->send_bytes - ring->send_put;
	uint32_t gap = count > behind ? behind : 0;
	struct exo_tx *part;

	if (count > ring->send_bytes - ring->send_used ||
	    gap > ring->send_bytes - ring->send_used - count)
		return NULL;
	part = part_next(ring, k);
	if (!part)
		return NULL;
	area_use(ring, k, gap, count);
	part->at = ring->send_base + ring->send_put - count;
	return part;
}

/* The last part, if it was copied and the area goes on behind it. */
static struct exo_tx *part_grown(struct stack_ring *ring, struct stack_packet *k, uint32_t count)
{
	struct exo_tx *part = k->parts ? &k->part[k->parts - 1] : NULL;

	if (!part || part->slot || part->at + part->bytes != ring->send_base + ring->send_put ||
	    count > ring->send_bytes - ring->send_put ||
	    count > ring->send_bytes - ring->send_used)
		return NULL;
	area_use(ring, k, 0, count);
	return part;
}

static bool add_copy(struct stack_ring *ring, struct stack_packet *k, const uint8_t *bytes,
		     uint32_t count)
{
	struct exo_tx *part = part_grown(ring, k, count);

	if (!part)
		part = part_copied(ring, k, count);
	if (!part)
		return false;
	memcpy(ring->ring.data + part->at + part->bytes, bytes, count);
	part->bytes += count;
	ring->stack->stats.copied_out_bytes += count;
	return true;
}

/* By what stands behind it; where nothing in one piece does, it is copied. */
static bool add_lent(struct stack_ring *ring, struct stack_packet *k, const uint8_t *bytes,
		     uint32_t count, const struct stack_range *range)
{
	struct exo_tx *part = k->parts ? &k->part[k->parts - 1] : NULL, place;

	if (!stack_range_place(range, bytes, count, &place))
		return add_copy(ring, k, bytes, count);
	if (!part || part->slot != place.slot || part->at + part->bytes != place.at) {
		if (count < LEND_BYTES)
			return add_copy(ring, k, bytes, count);
		part = part_next(ring, k);
		if (!part)
			return false;
		part->slot = place.slot;
		part->at = place.at;
	}
	part->bytes += count;
	ring->stack->stats.lent_out_bytes += count;
	return true;
}

static bool add_piece(struct stack_ring *ring, struct stack_packet *k, const uint8_t *bytes,
		      uint32_t count)
{
	const struct stack_range *range = NULL;

	if (count == 0)
		return true;
	/* The header goes first, and always from the ring's own memory. */
	if (k->parts && ring->stack->ranges)
		range = stack_range_find(ring->stack, bytes, count);
	k->bytes += count;
	return range ? add_lent(ring, k, bytes, count, range) : add_copy(ring, k, bytes, count);
}

bool stack_packet_add(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p,
		      uint32_t skip)
{
	struct mark before = mark_set(ring, k);

	for (; p; p = p->next, skip = 0) {
		if (add_piece(ring, k, (const uint8_t *)p->payload + skip, p->len - skip))
			continue;
		mark_return(ring, k, &before);
		return false;
	}
	return true;
}

void stack_packet_commit(struct stack_ring *ring, struct stack_packet *k)
{
	uint32_t first = ring->ring.tx_put;

	if (!k->parts)
		return;
	stack_merge_end(ring, k);
	/* There was room for each part when it was added, and nobody else puts any. */
	net_ring_put(&ring->ring, k->part, k->parts);
	for (uint32_t i = 0; i < k->parts; i++)
		ring->taken[(first + i) % EXO_PACKETS] = k->taken[i];
	k->parts = k->bytes = 0;
	ring->stack->stats.sent++;
}
