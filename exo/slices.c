/* SPDX-License-Identifier: MIT */
/*
 * slices.c - slice vectors: for each CPU, which environment runs in which time slot.
 *
 * Invariant: a slot names an environment only by a SLOT claim that holds it; the environment's
 * list of slots and the vectors say the same.  Choosing what runs: sched.c.
 */
#include "slices.h"

#include <exo/errors.h>

#include "claim.h"
#include "cpu.h"
#include "env.h"

#define SLOTS_WINDOW 128u       /* slots between two windows for interrupts */

/* Slots are named (cpu << 8 | slot) + 1 on an environment's list. */
static struct exo_vector_slot *slot_named(uint32_t name)
{
	return &cpus[(name - 1) >> 8]->vector->slot[(name - 1) & 0xff];
}

static void slot_clear(uint32_t cpu, uint64_t slot)
{
	struct exo_vector_slot *s = &cpus[cpu]->vector->slot[slot];
	struct env *e = env_at(s->env);

	if (!s->env)
		return;
	if (s->prev)
		slot_named(s->prev)->next = s->next;
	else
		e->first_slot = s->next;
	if (s->next)
		slot_named(s->next)->prev = s->prev;
	*s = (struct exo_vector_slot){ 0 };
}

int slices_check(uint32_t cpu, uint64_t lo, uint64_t hi, exo_sid sid)
{
	const struct cpu *c = cpus[cpu];

	for (uint64_t i = lo; i < hi; i++) {
		if (c->holder[i] != sid)
			return -EXO_E_SPLIT;
		if (c->vector->slot[i].env)
			return -EXO_E_MAPPED;
	}
	return 0;
}

void slices_move(uint32_t cpu, uint64_t lo, uint64_t hi, exo_sid from, exo_sid to)
{
	struct cpu *c = cpus[cpu];

	for (uint64_t i = lo; i < hi; i++)
		if (c->holder[i] == from)
			c->holder[i] = to;
}

void slices_unbind(const struct exo_cap *c)
{
	for (uint64_t i = c->lo; i < c->hi; i++)
		if (cpus[c->unit]->holder[i] == slot_sid(c))
			slot_clear(c->unit, i);
}

void slices_forget(struct env *e)
{
	unsigned steps = 0;

	while (e->first_slot) {
		slot_clear((e->first_slot - 1) >> 8, (e->first_slot - 1) & 0xff);
		window_every(&steps, 1, SLOTS_WINDOW);
	}
	for (unsigned i = 0; i < 4; i++)
		e->cpus[i] = 0;
}

int slices_held(const struct exo_cap *claim, uint64_t slot)
{
	if (slot < claim->lo || slot >= claim->hi)
		return -EXO_E_RANGE;
	return cpus[claim->unit]->holder[slot] == slot_sid(claim) ? 0 : -EXO_E_SPLIT;
}

void slices_set(const struct exo_cap *claim, uint64_t slot, struct env *e)
{
	struct exo_vector_slot *s = &cpus[claim->unit]->vector->slot[slot];
	uint32_t name = (claim->unit << 8 | slot) + 1;

	slot_clear(claim->unit, slot);
	if (!e)
		return;
	s->claim = slot_sid(claim);
	s->next = e->first_slot;
	s->prev = 0;
	if (s->next)
		slot_named(s->next)->prev = name;
	e->first_slot = name;
	__atomic_or_fetch(&e->cpus[claim->unit / 64], 1ul << claim->unit % 64, __ATOMIC_ACQ_REL);
	__atomic_store_n(&s->env, e->pfn, __ATOMIC_RELEASE);
}
