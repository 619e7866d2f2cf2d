/* SPDX-License-Identifier: MIT */
/*
 * stack_in.c - received packets: from a ring's buffers into lwIP, mostly without a copy.
 *
 * A packet is lent to lwIP where the kernel put it.  If lwIP and the program hold more than three
 * quarters of a ring's buffers (streams with gaps can), packets are copied to the heap, so that
 * the ring never runs dry.  Segments of one stream that follow each other go up as one.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <exos/time.h>
#include <arch/hooks.h>
#include <lwip/ip.h>
#include <lwip/ip6.h>
#include <lwip/priv/tcp_priv.h>
#include <netif/ethernet.h>

#include "pattern.h"
#include "stack_join.h"

#define CHECKSUMS_CHECKED (NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP)

static void repost(struct stack_ring *ring, uint32_t offset)
{
	net_ring_post(&ring->ring, offset);
	net_ring_show(&ring->ring);
}

static struct pbuf *copy(struct net_stack *stack, struct stack_ring *ring, const struct exo_rx *rx)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, rx->bytes, PBUF_RAM);

	if (p) {
		pbuf_take(p, ring->ring.data + rx->offset, rx->bytes);
		stack->stats.copied_in++;
	}
	repost(ring, rx->offset);
	return p;
}

/* The packet as a pbuf, lent or copied; NULL: dropped. */
static struct pbuf *packet_take(struct net_stack *stack, struct stack_ring *ring,
				const struct exo_rx *rx)
{
	struct stack_buffer *buffer;

	/* Cut off by the kernel, or not even a link header. */
	if (rx->length != rx->bytes || rx->bytes <= STACK_ETHER) {
		repost(ring, rx->offset);
		return NULL;
	}
	if (ring->held >= ring->receive_buffers - ring->receive_buffers / 4)
		return copy(stack, ring, rx);
	buffer = &ring->buffer[rx->offset / EXO_PACKET_BYTES];
	ring->held++;
	stack->stats.lent_in++;
	return pbuf_alloced_custom(PBUF_RAW, rx->bytes, PBUF_REF, &buffer->pbuf,
				   ring->ring.data + rx->offset, EXO_PACKET_BYTES);
}

/* Who sent it, and from which link address: a way back. */
static void learn(struct net_stack *stack, const uint8_t *bytes, unsigned type, size_t length)
{
	struct net_addr from = { .family = type == NET_ETHERTYPE_IPV4 ? 4 : 6 };
	uint32_t at = from.family == 4 ? PATTERN_IP4_SOURCE : PATTERN_IP6_SOURCE;

	if (length < at + net_addr_bytes(from.family))
		return;
	memcpy(from.byte, bytes + at, net_addr_bytes(from.family));
	neighbours_learn(&stack->neighbours, &from, bytes + PATTERN_MAC_SOURCE, exos_ns());
}

/* Without ARP: IP packets go up, nothing else is for us. */
static void input_narrow(struct net_stack *stack, struct pbuf *p)
{
	const uint8_t *bytes = p->payload;
	unsigned type = (unsigned)bytes[PATTERN_TYPE] << 8 | bytes[PATTERN_TYPE + 1];

	if (type != NET_ETHERTYPE_IPV4 && type != NET_ETHERTYPE_IPV6) {
		stack->stats.dropped_in++;
		pbuf_free(p);
		return;
	}
	learn(stack, bytes, type, p->len);
	stack_reopen(bytes, p->len);
	pbuf_remove_header(p, STACK_ETHER);
	if (type == NET_ETHERTYPE_IPV4)
		ip4_input(p, &stack->netif);
	else
		ip6_input(p, &stack->netif);
}

static uint32_t segments_up;    /* that the packet on its way up consists of */

err_t net_lwip_segment(struct tcp_pcb *pcb)
{
	/* RFC 9293 section 3.8.6.3: an acknowledgement for every second full-sized segment. */
	if (segments_up > 1 && pcb->state >= ESTABLISHED)
		tcp_set_flags(pcb, TF_ACK_DELAY);
	return ERR_OK;
}

static void input(struct net_stack *stack, struct stack_join *join)
{
	uint16_t checks = stack->netif.chksum_flags | CHECKSUMS_CHECKED | NETIF_CHECKSUM_CHECK_IP;
	struct pbuf *p = stack_join_end(join);

	/* What the device vouches for is not summed again, nor IP's header after a join. */
	if (join->flags & EXO_RX_CHECKED)
		checks &= (uint16_t)~CHECKSUMS_CHECKED;
	if (join->pieces > 1)
		checks &= (uint16_t)~NETIF_CHECKSUM_CHECK_IP;
	NETIF_SET_CHECKSUM_CTRL(&stack->netif, checks);
	segments_up = join->pieces;
	join->pieces = 0;
	if (stack->config.full)
		ethernet_input(p, &stack->netif);
	else
		input_narrow(stack, p);
}

/* What was joined goes up.  A callback may remove the ring: it is looked for, not believed. */
static struct stack_ring *input_joined(struct net_stack *stack, struct stack_ring *ring,
				       uint32_t number, struct stack_join *join)
{
	if (join->pieces == 0)
		return ring;
	input(stack, join);
	for (ring = stack->rings; ring && ring->number != number; ring = ring->next)
		;
	return ring;
}

unsigned stack_receive(struct net_stack *stack, struct stack_ring *ring, unsigned budget)
{
	struct stack_join join = { .pieces = 0 };
	uint32_t number = ring->number;
	struct exo_rx rx;
	struct pbuf *p;
	unsigned taken = 0;

	while (ring && taken < budget && net_ring_take(&ring->ring, &rx)) {
		taken++;
		stack->stats.received++;
		p = packet_take(stack, ring, &rx);
		if (!p) {
			stack->stats.dropped_in++;
		} else if (join.pieces && stack_join_add(&join, p, rx.flags)) {
			stack->stats.joined_in++;
		} else {
			ring = input_joined(stack, ring, number, &join);
			stack_join_begin(&join, p, rx.flags);
		}
	}
	input_joined(stack, ring, number, &join);
	return taken;
}
