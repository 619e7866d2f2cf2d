/* SPDX-License-Identifier: MIT */
/*
 * charge.c - time that an environment has of others' slots, and how it pays for it.
 *
 * Invariant: nobody owes more than a slot; a slot pays once, at its beginning.
 */
#include "charge.h"

#include <base/util.h>

#include "cpu.h"
#include "kernel.h"

#define INTERRUPT_PART 64u      /* of a slot: what the interrupts of one may take of others in it */

void charge_add(struct env *e, uint64_t tsc)
{
	uint64_t owes = __atomic_load_n(&e->owes, __ATOMIC_RELAXED) + tsc;

	__atomic_store_n(&e->owes, min_u64(owes, machine->slice_tsc), __ATOMIC_RELAXED);
}

uint64_t charge_begin(void)
{
	return read_tsc();
}

void charge_work(struct env *owner, uint64_t *since)
{
	const struct cpu *c = this_cpu();
	uint64_t now = read_tsc();

	if (owner && c->env && c->env != owner)
		charge_add(owner, now - *since);
	*since = now;
}

/* Going into the kernel and out of it is as much again as what the handler did. */
bool charge_interrupt(struct env *owner, uint64_t began)
{
	struct cpu *c = this_cpu();
	uint64_t took = 2 * (read_tsc() - began);

	if (!c->env || c->env == owner)
		return true;
	charge_add(owner, took);
	if (owner->irq_slot != c->slot_number)
		owner->irq_tsc = 0;
	owner->irq_slot = c->slot_number;
	owner->irq_tsc += took;
	if (owner->irq_tsc <= machine->slice_tsc / INTERRUPT_PART)
		return true;
	c->irqs_held = true;
	return false;
}

unsigned charge_pay(struct cpu *c, unsigned slot, uint64_t start, uint64_t *end)
{
	uint64_t pfn = __atomic_load_n(&c->vector->slot[slot].env, __ATOMIC_ACQUIRE), owes, other;

	owes = pfn ? __atomic_exchange_n(&env_at(pfn)->owes, 0, __ATOMIC_RELAXED) : 0;
	if (!owes)
		return slot;
	for (unsigned i = 1; i < EXO_VECTOR_SLOTS; i++) {
		unsigned next = (slot + i) % EXO_VECTOR_SLOTS;

		other = __atomic_load_n(&c->vector->slot[next].env, __ATOMIC_ACQUIRE);
		if (!other || other == pfn)
			continue;
		*end = start + owes;
		return next;
	}
	return slot;
}
