/* SPDX-License-Identifier: MIT */
/*
 * turn.h - turns within turns: circles whose members may be circles again.
 *
 * Invariant: a turn that others stand in stands itself in the next one up, but for the uppermost;
 * so who is first of all is found by going down.  Links are physical addresses, since turns lie in
 * frames that others may read.  Who stands where, and how long a turn is, is the user's matter.
 */
#ifndef EXO_TURN_H
#define EXO_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "x86/direct.h"

struct turn {
	uint64_t up;            /* that it stands in, 0: it stands in none */
	uint64_t next, prev;    /* the others there, itself if it is alone */
	uint64_t first;         /* of those that stand in it, whose turn it is; 0: none stands */
};

static inline struct turn *turn_at(uint64_t pa) { return phys_to_virt(pa); }

/* Put it behind all others that stand in `up`: true if it is alone there. */
static inline bool turn_enter(struct turn *t, struct turn *up)
{
	uint64_t me = virt_to_phys(t);
	struct turn *first;

	t->up = virt_to_phys(up);
	if (!up->first) {
		t->next = t->prev = up->first = me;
		return true;
	}
	first = turn_at(up->first);
	t->next = up->first;
	t->prev = first->prev;
	turn_at(t->prev)->next = me;
	first->prev = me;
	return false;
}

/* Take it out, and those above in which nobody stands any more; whose turn it was, the next has. */
static inline void turn_leave(struct turn *t)
{
	while (t->up) {
		struct turn *up = turn_at(t->up);
		uint64_t me = virt_to_phys(t);

		if (up->first == me)
			up->first = t->next != me ? t->next : 0;
		turn_at(t->prev)->next = t->next;
		turn_at(t->next)->prev = t->prev;
		t->up = t->next = t->prev = 0;
		if (up->first)
			return;
		t = up;
	}
}

/* Its turn is over, and that of all it stands in. */
static inline void turn_pass(struct turn *t)
{
	for (; t->up; t = turn_at(t->up))
		turn_at(t->up)->first = t->next;
}

/* Whose turn it is, at the bottom: NULL if nobody stands in `top`. */
static inline struct turn *turn_first(struct turn *top)
{
	struct turn *t = top;

	while (t->first)
		t = turn_at(t->first);
	return t != top ? t : NULL;
}

#endif
