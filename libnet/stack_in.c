/* SPDX-License-Identifier: MIT */
/*
 * stack_in.c - received packets: from a ring's buffers into lwIP, mostly without a copy.
 *
 * A packet is lent to lwIP where the kernel put it.  If lwIP and the program hold more than three
 * quarters of a ring's buffers (streams with gaps can), packets are copied to the heap, so that
 * the ring never runs dry.  Segments of one stream that follow each other go up as one, whether the
 * card joined them, in several buffers, or they are joined here.
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

/* Among EXO_RX_*, in what goes up: the card joined it. */
#define RX_JOINED 0x10000u

#define ACK_NS (500ul * 1000)
#define FILL_BUFFERS 64u        /* that a ring's `fill` is the mean of */

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

/* A buffer as a pbuf, lent or copied; NULL: no memory. */
static struct pbuf *buffer_take(struct net_stack *stack, struct stack_ring *ring,
				const struct exo_rx *rx)
{
	struct stack_buffer *buffer;

	if (ring->held >= ring->receive_buffers - ring->receive_buffers / 4)
		return copy(stack, ring, rx);
	buffer = &ring->buffer[rx->offset / EXO_PACKET_BYTES];
	ring->held++;
	stack->stats.lent_in++;
	return pbuf_alloced_custom(PBUF_RAW, rx->bytes, PBUF_REF, &buffer->pbuf,
				   ring->ring.data + rx->offset, EXO_PACKET_BYTES);
}

/* May this buffer stand at `at` in a packet of so many bytes?  pbufs count with 16 bits. */
static bool buffer_fits(const struct exo_rx *rx, uint32_t length, uint32_t at)
{
	if (length > UINT16_MAX || rx->bytes > length - at || (!at && rx->bytes <= STACK_ETHER))
		return false;
	return rx->flags & EXO_RX_MORE ? rx->bytes && rx->bytes < length - at :
					 rx->bytes == length - at;
}

static void fill_note(struct stack_ring *ring, uint32_t length, uint32_t buffers)
{
	uint32_t gone = ring->fill * buffers / FILL_BUFFERS;

	ring->fill += length / FILL_BUFFERS - (gone < ring->fill ? gone : ring->fill);
}

/*
 * The packet whose first buffer is *rx as a chain of pbufs; NULL: dropped, since the kernel cut it
 * off, or it has not even a link header.  *rx is its last buffer then.
 */
static struct pbuf *packet_take(struct net_stack *stack, struct stack_ring *ring,
				struct exo_rx *rx)
{
	struct pbuf *whole = NULL, **end = &whole;
	uint32_t length = rx->length, at = 0, buffers = 1;
	bool good = true;

	for (;; buffers++) {
		struct pbuf *p;

		good = good && buffer_fits(rx, length, at);
		p = good ? buffer_take(stack, ring, rx) : NULL;
		if (p) {
			p->tot_len = (u16_t)(length - at);
			*end = p;
			end = &p->next;
		} else if (!good) {
			repost(ring, rx->offset);
		}
		good = p;
		at += rx->bytes;
		if (!(rx->flags & EXO_RX_MORE))
			break;
		if (!net_ring_take(&ring->ring, rx)) {
			good = false;
			break;
		}
	}
	if (good) {
		fill_note(ring, length, buffers);
		return whole;
	}
	if (whole)
		pbuf_free(whole);
	return NULL;
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
static bool acks_owed;          /* some connection has NET_TF_OWED */
static uint64_t acks_due;       /* TSC: in a dense stream they wait until then */
static bool dense_up;           /* stack_ring_dense of its ring */

/*
 * RFC 9293 section 3.8.6.3: an acknowledgement for every second full-sized segment.  It goes out in
 * the next turn, if no other has until then, so that it can say what the program has read.  In a
 * stream of packets that the card joined lwIP tells of each quarter of the window that was read:
 * that is enough, if it comes soon.
 */
err_t net_lwip_segment(struct tcp_pcb *pcb)
{
	if (pcb->state < ESTABLISHED)   /* a listener has no flags */
		return ERR_OK;
	if (segments_up > 1) {
		tcp_set_flags(pcb, NET_TF_OWED);
		if (!acks_owed)
			acks_due = exos_deadline(ACK_NS);
		acks_owed = true;
	}
	tcp_clear_flags(pcb, NET_TF_DENSE);
	if (dense_up) {
		tcp_set_flags(pcb, NET_TF_DENSE);
		tcp_clear_flags(pcb, TF_ACK_DELAY);     /* else lwIP tells of each second */
	}
	return ERR_OK;
}

void stack_acknowledge(void)
{
	bool due = acks_owed && exos_tsc() >= acks_due;

	if (!acks_owed)
		return;
	acks_owed = false;
	for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (!(pcb->flags & NET_TF_OWED))
			continue;
		if (!due && (pcb->flags & NET_TF_DENSE) && (pcb->flags & TF_ACK_DELAY)) {
			acks_owed = true;
			continue;
		}
		tcp_clear_flags(pcb, NET_TF_OWED);
		if (pcb->flags & TF_ACK_DELAY) {
			tcp_ack_now(pcb);
			tcp_output(pcb);
		}
	}
}

uint64_t stack_acknowledge_next(void)
{
	return acks_owed ? acks_due : 0;
}

static void input(struct net_stack *stack, const struct stack_ring *ring, struct stack_join *join)
{
	uint16_t checks = stack->netif.chksum_flags | CHECKSUMS_CHECKED | NETIF_CHECKSUM_CHECK_IP;
	struct pbuf *p = stack_join_end(join);

	/* What the device vouches for is not summed again, nor IP's header after a join. */
	if (join->flags & EXO_RX_CHECKED)
		checks &= (uint16_t)~CHECKSUMS_CHECKED;
	if (join->pieces > 1)
		checks &= (uint16_t)~NETIF_CHECKSUM_CHECK_IP;
	NETIF_SET_CHECKSUM_CTRL(&stack->netif, checks);
	segments_up = join->pieces + (join->flags & RX_JOINED ? 1 : 0);
	dense_up = stack_ring_dense(ring);
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
	input(stack, ring, join);
	for (ring = stack->rings; ring && ring->number != number; ring = ring->next)
		;
	return ring;
}

unsigned stack_receive(struct net_stack *stack, struct stack_ring *ring, unsigned budget)
{
	struct stack_join join = { .pieces = 0 };
	uint32_t number = ring->number;
	struct exo_rx rx;
	unsigned taken = 0;

	while (ring && taken < budget && net_ring_take(&ring->ring, &rx)) {
		uint32_t flags = rx.flags | (rx.segment ? RX_JOINED : 0);
		struct pbuf *p = packet_take(stack, ring, &rx);

		taken++;
		stack->stats.received++;
		stack->stats.card_joined_in += flags & RX_JOINED ? 1 : 0;
		if (!p) {
			stack->stats.dropped_in++;
		} else if (join.pieces && stack_join_add(&join, p, flags)) {
			stack->stats.joined_in++;
		} else {
			ring = input_joined(stack, ring, number, &join);
			stack_join_begin(&join, p, flags);
		}
	}
	input_joined(stack, ring, number, &join);
	return taken;
}
