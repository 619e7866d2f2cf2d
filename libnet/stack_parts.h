/* SPDX-License-Identifier: MIT */
/*
 * stack_parts.h - what the parts of the stack share.
 *
 * Invariant of a ring's receive buffers: each is posted, or in an lwIP pbuf (`held` counts these),
 * or in the hands of stack_in.c.  Of its send area, from send_base on: what parts took that are not
 * done, and the packet in the making, lie one behind the other up to send_put, round and round.
 */
#ifndef LIBNET_STACK_PARTS_H
#define LIBNET_STACK_PARTS_H

#include <exo/nic.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <net/error.h>
#include <net/packets.h>
#include <net/stack.h>

#include "neighbour.h"
#include "stack_packet.h"

#define STACK_RANGES 64u        /* ranges of registered memory */
#define STACK_ETHER  14u        /* bytes of an Ethernet header */

struct stack_ring;

/* A receive buffer as lwIP sees it; pbuf first, so that lwIP's pointer is ours. */
struct stack_buffer {
	struct pbuf_custom pbuf;
	struct stack_ring *ring;
	uint32_t offset;        /* in the data area */
};

struct stack_ring {
	struct stack_ring *next;
	struct net_stack *stack;
	uint32_t number;
	bool wide;              /* for all packets */
	bool full;              /* a packet found no room since `room again` was seen */
	bool gone;              /* removed, but buffers are still held */
	bool claimed;           /* `claim` came from netcfg and goes back there */
	struct net_claim claim;
	struct net_flow flow;
	struct exo_pattern send;        /* of the flow */
	struct net_ring ring;
	struct stack_buffer *buffer;    /* receive_buffers of them */
	uint32_t receive_buffers;
	uint32_t held;
	uint32_t fill;          /* bytes in a buffer, the mean of the last 64 or so */
	uint32_t send_base, send_bytes; /* offset of the send area in the data area, its length */
	uint32_t send_put, send_used;   /* where the next bytes go; bytes not free */
	uint32_t freed;         /* parts done whose bytes of the send area are free again */
	uint32_t taken[EXO_PACKETS];    /* by place in the ring: these bytes */
	struct stack_packet packet;     /* put on the ring when it is complete */
};

struct stack_range {
	uintptr_t lo, hi;       /* [lo, hi) */
	exo_slot slot;
	uint64_t pfn;           /* mapped at lo */
	net_memory_page *page;  /* not NULL: instead of those two */
};

struct net_stack {
	struct net_stack_config config;
	struct netif netif;
	struct neighbours neighbours;
	struct stack_ring *rings;
	uint32_t numbers;       /* rings ever made */
	uint32_t generation;    /* of the page when it was last read */
	bool has_page;          /* it was read once */
	bool has_address;
	struct net_page copy;   /* of the page, as it was read last */
	struct stack_range range[STACK_RANGES];
	uint32_t ranges;
	struct net_stack_stats stats;
};

/*
 * Of a connection: NET_TF_OWED: several segments came that are not acknowledged yet; NET_TF_DENSE:
 * the ring by which the last one came is dense.
 */

/* stack_ring.c */
#define STACK_DENSE_BUFFERS 128u        /* at least: twice what is read before that is told */
/* Are its receive buffers filled to the end, mostly, as they are if the card joins packets? */
static inline bool stack_ring_dense(const struct stack_ring *ring)
{
	return ring->receive_buffers >= STACK_DENSE_BUFFERS &&
	       ring->fill > EXO_PACKET_BYTES / 16 * 15;
}
/*
 * Bytes that one connection may have under way to it: seven eighths of dense buffers; else there is
 * a buffer for each full segment, and three of eight are left for others.
 */
static inline uint32_t stack_ring_window(const struct stack_ring *ring)
{
	return stack_ring_dense(ring) ? ring->receive_buffers / 8 * 7 * EXO_PACKET_BYTES :
					ring->receive_buffers / 8 * 5 * TCP_MSS;
}
void stack_ring_reclaim(struct stack_ring *ring);
/* Wait until the device has read all that was put; false: it has not within so long. */
bool stack_ring_drain(struct stack_ring *ring, uint64_t ns);
bool stack_ring_sends(const struct stack_ring *ring, const void *header);
void stack_ring_end(struct stack_ring *ring);
struct stack_ring *stack_ring_for(struct net_stack *stack, const struct net_flow *flow);

/* stack_in.c: take up to `budget` packets off a ring; how many. */
unsigned stack_receive(struct net_stack *stack, struct stack_ring *ring, unsigned budget);
/* Acknowledge what came in the last turn, where that was not done yet. */
void stack_acknowledge(void);
/* When that is due (TSC); 0: nothing is owed. */
uint64_t stack_acknowledge_next(void);

/* stack_reopen.c: a received IP packet may be a connection anew, which an old one would bar. */
void stack_reopen(const uint8_t *bytes, size_t length);

/* stack_out.c: lwIP's output functions. */
err_t stack_transmit(struct netif *netif, struct pbuf *packet);
err_t stack_output4(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to);
err_t stack_output6(struct netif *netif, struct pbuf *packet, const ip6_addr_t *to);

/* stack_page.c: believe netcfg's page anew, if it changed. */
void stack_page_look(struct net_stack *stack);

/* memory.c: the registered range that [at, at + bytes) lies in, or NULL. */
const struct stack_range *stack_range_find(const struct net_stack *stack, const void *at,
					   size_t bytes);
/*
 * What stands behind it goes into slot and at of the part; false if that is nothing, or not
 * consecutive: it must be copied.
 */
bool stack_range_place(const struct stack_range *range, const void *at, size_t bytes,
		       struct exo_tx *part);

#endif
