/* SPDX-License-Identifier: MIT */
/*
 * event.h - putting an entry on an event ring, in line.
 */
#ifndef EXO_EVENT_H
#define EXO_EVENT_H

#include "env.h"
#include "lock.h"

/* Put an entry on the ring, if no other CPU is just doing so: false then. */
static inline bool event_put(struct env *e, unsigned entry)
{
	struct exo_env_page *p = e->page;
	uint32_t head;

	if (__atomic_exchange_n(&e->ring_lock, 1, __ATOMIC_ACQUIRE))
		return false;
	head = e->event_head;
	p->event_ring[head % EXO_EVENTS] = entry;
	__atomic_store_n(&p->event_head, head + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&e->event_head, head + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&e->ring_lock, 0, __ATOMIC_RELEASE);
	return true;
}

#endif
