/* SPDX-License-Identifier: MIT */
/*
 * socket_parts.h - what the kinds of sockets share.
 *
 * Invariant: `pcb` is lwIP's control block as long as lwIP has it, else NULL; queued pbufs are
 * ours.
 */
#ifndef LIBNET_SOCKET_PARTS_H
#define LIBNET_SOCKET_PARTS_H

#include <lwip/raw.h>
#include <net/lwip.h>
#include <net/socket.h>

#include "stack_parts.h"

/*
 * Received pbufs or datagrams that wait: more than a window has segments, since lwIP throws away
 * what comes behind a segment that was not taken.
 */
#define SOCKET_QUEUE 320u
_Static_assert(SOCKET_QUEUE * TCP_MSS > TCP_WND, "a window of full segments fits the queue");

enum socket_kind { SOCKET_TCP, SOCKET_LISTENER, SOCKET_UDP, SOCKET_ECHO };

/* One received pbuf; of a datagram also who sent it. */
struct socket_item {
	struct pbuf *p;
	struct net_addr from;
	uint16_t port;
};

struct net_socket {
	enum socket_kind kind;
	struct net_stack *stack;
	union {
		void *pcb;
		struct tcp_pcb *tcp;
		struct udp_pcb *udp;
		struct raw_pcb *raw;
	};
	uint32_t ring[2];       /* numbers of rings that were made for it; 0: none */
	uint16_t port;          /* local port or echo identifier */
	bool connected;
	bool ended;             /* the other side sends no more */
	bool shut;              /* we send no more */
	uint32_t held_back;     /* bytes by which the window is smaller than lwIP would have it */
	uint32_t hold_back;     /* and shall be, soon */
	bool dense;             /* NET_TF_DENSE when that was decided */
	int error;              /* negative, why the connection is gone; 0: it is not */
	struct socket_item item[SOCKET_QUEUE];
	uint32_t first, items;  /* in item[], a ring */
	uint32_t offset;        /* bytes of the first item that were taken */
	struct net_socket *waiting, *next;      /* of a listener: connections not accepted yet */
};

/* A new socket without a pcb; NULL: no memory. */
struct net_socket *socket_new(struct net_stack *stack, enum socket_kind kind);
/* Free it with its queue and rings; the pcb is the caller's. */
void socket_free(struct net_socket *s);

/*
 * Have packets of a flow (protocol, family, local_port or echo) come to this stack: by a ring that
 * covers it already, else by a claim of netcfg's in ring[index].  Port or identifier 0 asks for
 * one; *port says which.
 */
int socket_claim(struct net_socket *s, unsigned index, struct net_flow *flow, uint16_t *port);

bool socket_queue(struct net_socket *s, struct pbuf *p, const struct net_addr *from,
		  uint16_t port);
void socket_drop_first(struct net_socket *s);

/* Run the stack once; false: the deadline has passed and nothing came. */
bool socket_wait(struct net_stack *stack, uint64_t deadline_tsc);

/*
 * Wait until the link address towards `to` is known, for a second at most: a first packet is then
 * not lost.  Not knowing it is no error here.
 */
void socket_resolve(struct net_stack *stack, const struct net_addr *to, uint64_t deadline_tsc);

/* socket_tcp.c: take over a pcb that is connected. */
void socket_tcp_adopt(struct net_socket *s, struct tcp_pcb *pcb);
void socket_tcp_close(struct net_socket *s);
/* socket_listen.c */
void socket_listener_close(struct net_socket *s);

#endif
