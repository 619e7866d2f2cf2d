/* SPDX-License-Identifier: MIT */
/*
 * stack.h - TCP/IP for one program: lwIP over packet rings bound to NIC claims.
 *
 * lwIP has static state, so a program has one stack; two programs have two.  All of it runs in the
 * thread that calls net_stack_run; nothing here makes a gate call to send or receive a packet.
 *
 * A program either holds narrow claims and believes netcfg's page (addresses, gateway, link
 * addresses), or it is netcfg: `full`, with ARP, neighbour discovery and DHCP of its own.
 */
#ifndef NET_STACK_H
#define NET_STACK_H

#include <exo/types.h>
#include <net/config.h>
#include <net/pattern.h>
#include <stdbool.h>
#include <stdint.h>

struct net_stack;
struct netif;                   /* lwIP's */

struct net_stack_config {
	const struct net_page *page;    /* netcfg's, mapped; NULL with `full` */
	exo_slot gate;          /* netcfg's, for claims and link addresses; 0: none */
	bool     full;          /* netcfg: link addresses are resolved here */
	uint8_t  mac[6];        /* with `full`; else the page says them */
	uint16_t mtu;           /* with `full`: bytes of an IP packet */
	bool     checksum;      /* the NIC offers EXO_TX_CHECKSUM (EXO_NIC_CHECKSUM) */
	bool     segment4;      /* it offers EXO_TX_SEGMENT4, EXO_TX_SEGMENT6 too: TCP segments */
	bool     segment6;      /* that follow each other are sent as one packet, which it cuts */
};

/* Fill a config from the grants `netcfg` and `net-gate`; -NET_E_NO_NETWORK without a page. */
int net_stack_granted(struct net_stack_config *config);

/* What to leave to a NIC with these EXO_NIC_* flags: net_stack_granted does it by the page's. */
void net_stack_offload(struct net_stack_config *config, uint64_t nic_flags);

/* Start the stack: 0; -EXO_E_BUSY if there is one; -EXO_E_ARG; -NET_E_NOMEM. */
int net_stack_create(const struct net_stack_config *config, struct net_stack **out);
/* End it with all rings: connections are reset first. */
void net_stack_end(struct net_stack *stack);

#define NET_STACK_FRAMES 256u   /* data frames of a busy server's ring: 256 buffers each way */
#define NET_CLIENT_FRAMES 180u  /* of a client's: 180 buffers, eight fifths of its window */

/*
 * Let the stack receive and send by a NIC claim too: rings with `frames` data frames (2 to 256,
 * half for each direction) are made and bound.  flow: what the claim is for; a packet is sent
 * through the first ring whose flow it belongs to.  NULL: everything.  While there is one of less
 * than EXO_PACKET_BUFFERS frames the card joins no received packets.  *ring is its number for
 * net_stack_remove; may be NULL.  0, -EXO_E_* or -NET_E_*.
 */
int net_stack_add(struct net_stack *stack, exo_slot nic, const struct net_flow *flow,
		  uint32_t frames, uint32_t *ring);
void net_stack_remove(struct net_stack *stack, uint32_t ring);

/* Ask netcfg for a claim and add it; released with net_stack_remove.  *claim is a copy. */
int net_stack_claim(struct net_stack *stack, const struct net_flow *flow, uint32_t frames,
		    uint32_t *ring, struct net_claim *claim);

/*
 * One turn: packets that came in, timers that are due, what lwIP wants sent; then, if there was
 * nothing to do, wait for an event until the next timer or the deadline (TSC, 0: none).  Handlers
 * of the program's other events run inside the wait (exos_event_run), and gate calls enter there.
 * Returns packets taken.  A program is: for (;;) net_stack_run(stack, 0);
 */
unsigned net_stack_run(struct net_stack *stack, uint64_t deadline_tsc);

/* The same without ever waiting. */
unsigned net_stack_poll(struct net_stack *stack);

/* Tell the kernel now of what lwIP put on the rings (net_stack_run does it at its end). */
void net_stack_flush(struct net_stack *stack);

/* When the next of lwIP's timers is due (TSC). */
uint64_t net_stack_next(struct net_stack *stack);

/* lwIP's interface: netcfg configures it; others look only. */
struct netif *net_stack_netif(struct net_stack *stack);

/* netcfg's page and gate, as configured. */
const struct net_page *net_stack_page(const struct net_stack *stack);
exo_slot net_stack_gate(const struct net_stack *stack);

/*
 * Let payload in [va, va + bytes) be sent without a copy, by the FRAME claim or share `slot` whose
 * frame pfn is mapped at va (page aligned; consecutive frames).  It counts for data handed to
 * tcp_write without TCP_WRITE_FLAG_COPY, which must stay unchanged until it is acknowledged.
 * 0; -EXO_E_ARG; -EXO_E_ROOM beyond 64 ranges.
 */
int net_memory_register(struct net_stack *stack, const void *va, uint64_t bytes, exo_slot slot,
			uint64_t pfn);
/*
 * The same for memory whose frames come and go: what stands behind a page (0 in *pfn: nothing) is
 * asked for with each packet; what is being sent must stay where it is, as above.
 */
typedef void net_memory_page(const void *page, exo_slot *slot, uint64_t *pfn);
int net_memory_register_loose(struct net_stack *stack, const void *va, uint64_t bytes,
			      net_memory_page *page);
/* No part of it is in the device's hands after this (waits for parts under way). */
void net_memory_unregister(struct net_stack *stack, const void *va);

struct net_stack_stats {
	uint64_t received;      /* packets taken from rings */
	uint64_t sent;          /* packets put on rings */
	uint64_t merged_out;    /* TCP segments that went out as more of the packet before */
	uint64_t joined_in;     /* TCP segments that went up as more of the one before */
	uint64_t card_joined_in;        /* received packets that the card had joined */
	uint64_t lent_in;       /* receive buffers that lwIP read where they are */
	uint64_t copied_in;     /* receive buffers copied, since lwIP held too many of them */
	uint64_t copied_out_bytes;      /* bytes copied into rings */
	uint64_t lent_out_bytes;        /* bytes sent from registered memory */
	uint64_t dropped_in;    /* packets: cut off, or no memory */
	uint64_t full;          /* not sent now: the ring was full (TCP tries again) */
	uint64_t no_ring;       /* not sent: no claim covers it */
	uint64_t no_neighbour;  /* not sent: the link address is not known yet */
	uint64_t kicks;         /* kernel calls to send */
	uint64_t gate_calls;    /* calls to netcfg */
	uint64_t waits;         /* kernel calls to wait */
	/* Now: */
	uint64_t connections;   /* TCP connections that are not closed */
	uint64_t time_wait;     /* closed ones in TIME_WAIT */
	uint64_t held;          /* receive buffers in lwIP's or the program's hands */
	uint64_t unsent;        /* parts in the device's hands */
	uint64_t segments;      /* TCP segments queued to send or out of order */
};
void net_stack_stats(const struct net_stack *stack, struct net_stack_stats *out);

#endif
