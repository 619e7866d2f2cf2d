/* SPDX-License-Identifier: MIT */
/*
 * stack_join.c - received TCP segments that follow each other go up to lwIP as one.
 *
 * What one turn takes off a ring is often a piece of one stream: lwIP looks at one header, and
 * acknowledges once, for all of it.  Nothing waits for more to come.
 *
 * Invariant: only segments whose headers differ in nothing but lengths, sums, identification,
 * window, PSH and sequence number are joined, and only if their sums are right: the card vouches
 * for TCP's, IPv4's is computed here.
 */
#include "stack_join.h"

#include <exo/nic.h>
#include <lwip/pbuf.h>

#define JOIN_BYTES 60000u       /* pbufs count with 16 bits */

/* May it be joined with others?  Then its headers are looked at no more by lwIP but for TCP's. */
static bool joinable(const struct pbuf *p, uint32_t flags, struct stack_head *head)
{
	const uint8_t *h = p->payload;

	if (!(flags & EXO_RX_CHECKED) || p->next || !stack_head_read(h, p->len, head))
		return false;
	return p->len > head->bytes && stack_head_plain(h, head) &&
	       stack_head_length(h, head) == p->len && stack_head_sound(h, head);
}

void stack_join_begin(struct stack_join *join, struct pbuf *p, uint32_t flags)
{
	join->flags = flags;
	join->piece[0] = p;
	join->pieces = 1;
	join->bytes = p->tot_len;
	join->grows = joinable(p, flags, &join->head);
	if (join->grows)
		join->next = stack_head_sequence(p->payload, &join->head) + p->len -
			     join->head.bytes;
}

bool stack_join_add(struct stack_join *join, struct pbuf *p, uint32_t flags)
{
	uint8_t *first = join->piece[0]->payload;
	struct stack_head head;

	if (!join->grows || join->pieces == STACK_JOIN_MOST || p->len > JOIN_BYTES - join->bytes ||
	    !joinable(p, flags, &head) || head.bytes != join->head.bytes ||
	    head.tcp != join->head.tcp || !stack_head_same(first, p->payload, &head) ||
	    stack_head_sequence(p->payload, &head) != join->next)
		return false;
	stack_head_latest(first, p->payload, &head);
	pbuf_remove_header(p, head.bytes);
	join->next += p->len;
	join->bytes += p->len;
	join->piece[join->pieces++] = p;
	return true;
}

struct pbuf *stack_join_end(struct stack_join *join)
{
	struct pbuf *whole = NULL;

	if (join->pieces == 1)
		return join->piece[0];
	if (join->pieces)
		stack_head_length_set(join->piece[0]->payload, &join->head, join->bytes);
	for (uint32_t n = join->pieces; n-- > 0;) {
		struct pbuf *p = join->piece[n];

		p->next = whole;
		p->tot_len = (u16_t)(p->len + (whole ? whole->tot_len : 0));
		whole = p;
	}
	return whole;
}
