/* SPDX-License-Identifier: MIT */
/*
 * lease_act.c - the times of a lease.
 *
 * Between two requests lies half of what is left until the next stage, but a minute at least, or a
 * second where the lease itself is short.
 */
#include "lease.h"

#define SHORT_S 600u            /* a lease up to here is short */

static uint32_t pause_s(const struct lease *l, uint32_t left)
{
	const uint32_t least = l->t0 <= SHORT_S ? 1 : 60;

	return left / 2 > least ? left / 2 : least;
}

enum lease_act lease_act(struct lease *l, uint32_t age)
{
	const uint32_t stage = age >= l->t2 ? l->t2 : l->t1;
	const uint32_t end = age >= l->t2 ? l->t0 : l->t2;

	if (l->t0 == LEASE_FOR_EVER)
		return LEASE_KEEP;
	if (age >= l->t0)
		return LEASE_END;
	if (age < l->t1)
		return LEASE_KEEP;
	/* The pause is counted from the last request of this stage. */
	if (l->asked >= stage && l->asked != 0 && age - l->asked < pause_s(l, end - l->asked))
		return LEASE_KEEP;
	l->asked = age;
	return age >= l->t2 ? LEASE_REBIND : LEASE_RENEW;
}
