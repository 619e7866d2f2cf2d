/* SPDX-License-Identifier: MIT */
/*
 * event.c - event rings: what sources post to environments.
 *
 * An entry is put on the ring when its count goes from 0 to 1, so that a ring of as many places as
 * there are entries never overflows; later posts only count.  The ring page is the environment's:
 * if it plays with it, it confuses only itself.
 */
#include <exo/errors.h>

#include "cpu.h"
#include "env.h"
#include "event.h"
#include "sched.h"

void event_post(struct env *e, unsigned entry)
{
	if (__atomic_fetch_add(&e->page->event_count[entry], 1, __ATOMIC_ACQ_REL))
		return;
	while (!event_put(e, entry))
		spin_wait();
	env_wake(e);
}

int event_reserve(struct env *e, unsigned entry, enum source_kind kind, uint64_t id)
{
	struct source *s;

	if (entry < 1 || entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	s = &e->source[entry];
	if (s->kind == SOURCE_DOORBELL && kind == SOURCE_DOORBELL)
		return 0;
	if (s->kind != SOURCE_NONE)
		return -EXO_E_ROOM;
	*s = (struct source){ .kind = kind, .id = id };
	e->sources++;
	return 0;
}

void event_release(struct env *e, unsigned entry)
{
	struct source *s = &e->source[entry];

	if (s->kind == SOURCE_DOORBELL && !--s->id)
		event_free(e, entry);
}

void event_free(struct env *e, unsigned entry)
{
	e->sources -= e->source[entry].kind != SOURCE_NONE;
	e->source[entry] = (struct source){ 0 };
}
