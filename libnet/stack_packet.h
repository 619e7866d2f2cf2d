/* SPDX-License-Identifier: MIT */
/*
 * stack_packet.h - a packet in the making: the parts it will have on a ring.
 *
 * Invariant: parts that were copied lie in the ring's send area, those of a packet one behind the
 * other; the headers are in the first.  The area that a part took is free again when the part is
 * done; parts are done in order.
 */
#ifndef LIBNET_STACK_PACKET_H
#define LIBNET_STACK_PACKET_H

#include <exo/nic.h>
#include <stdbool.h>
#include <stdint.h>

#include "stack_head.h"

struct pbuf;
struct stack_ring;

struct stack_packet {
	uint32_t parts;
	uint32_t bytes;         /* of all parts */
	bool     tcp;           /* it is a TCP segment, or several */
	bool     grows;         /* another may follow the last */
	struct stack_head head; /* if it is one: of the first */
	uint32_t first;         /* payload bytes of the first */
	struct exo_tx part[EXO_PACKET_PARTS];
	uint32_t taken[EXO_PACKET_PARTS];       /* bytes of the send area */
};

/* Bytes of a packet that the card cuts: what fits the 16 bits of IP's length. */
#define STACK_PACKET_MAX (UINT16_MAX + 14u)

/* stack_packet.c */

/*
 * Add the bytes of a chain from `skip` on (below the length of its first pbuf, or equal to it).
 * Large payload in registered memory is named where it is.  false: no room now, or too many parts;
 * the packet is as it was.
 */
bool stack_packet_add(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p,
		      uint32_t skip);
/* Put it on the ring, if there is one, and begin anew. */
void stack_packet_commit(struct stack_ring *ring, struct stack_packet *k);

/* stack_merge.c: TCP segments that follow each other go to the card as one packet. */

/* A new packet was added: may segments follow it?  Sets tcp, grows, head, first. */
void stack_merge_begin(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p);
/* Add a segment to the packet if it follows the last; false: it does not, nothing was done. */
bool stack_merge(struct stack_ring *ring, struct stack_packet *k, const struct pbuf *p);
/* Make the headers those of the whole packet, and leave to the card what it is to do. */
void stack_merge_end(struct stack_ring *ring, struct stack_packet *k);

#endif
