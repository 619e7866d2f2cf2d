/* SPDX-License-Identifier: MIT */
/*
 * stack_join.h - a received packet, and those that follow it in the same stream.
 *
 * Invariant: piece[0] has its headers, the others have theirs removed; `pieces` is 0 only before
 * stack_join_begin.  Each piece is one pbuf, unless there is no other: then it may be a chain.
 */
#ifndef LIBNET_STACK_JOIN_H
#define LIBNET_STACK_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "stack_head.h"

#define STACK_JOIN_MOST 40u     /* segments of 1,460 bytes that a pbuf can count */

struct pbuf;

struct stack_join {
	struct pbuf *piece[STACK_JOIN_MOST];
	uint32_t pieces, bytes;
	uint32_t flags;         /* EXO_RX_* of the first */
	uint32_t next;          /* sequence number that would follow */
	struct stack_head head;
	bool grows;             /* it is a segment that others may follow */
};

/* Begin with this packet. */
void stack_join_begin(struct stack_join *join, struct pbuf *p, uint32_t flags);
/* Add it if it follows; false: it does not, nothing was done. */
bool stack_join_add(struct stack_join *join, struct pbuf *p, uint32_t flags);
/* All of it as one packet: a chain whose headers speak of all, but for sums. */
struct pbuf *stack_join_end(struct stack_join *join);

#endif
