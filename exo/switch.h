/* SPDX-License-Identifier: MIT */
/*
 * switch.h - moving the CPU from one environment to another, for sched.c and gate.c.
 *
 * In line, because gate calls and yields are little more than this.
 */
#ifndef EXO_SWITCH_H
#define EXO_SWITCH_H

#include "cpu.h"
#include "vector.h"
#include "x86/bases.h"

/* Make an environment the CPU's, except the registers that the way to user mode loads. */
static inline void env_take(struct cpu *c, struct env *e)
{
	c->env = e;
	c->page = e->page;
	c->ctx = &e->ctx[e->inside];
	c->vector->running = e->pfn;
	c->stats->switches++;
	e->cpu = c->number;
	e->page->cpu = c->number;
	space_load(c, e->space);
	if (!c->ts || c->vector_owner)
		vectors_fence(c);
}

/* Give the CPU from the present environment to another; the vector registers keep their owner. */
static inline void env_swap(struct cpu *c, struct env *to)
{
	bases_swap(c->env, to);
	env_take(c, to);
}

#endif
