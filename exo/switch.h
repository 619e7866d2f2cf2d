/* SPDX-License-Identifier: MIT */
/*
 * switch.h - moving the CPU from one environment to another, for sched.c and gate.c.
 *
 * In line, because gate calls and yields are little more than this: their short ways call nothing,
 * and leave whatever is not the common case to functions of their own.
 */
#ifndef EXO_SWITCH_H
#define EXO_SWITCH_H

#include "claim.h"
#include "cpu.h"
#include "vector.h"
#include "x86/bases.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline bool state_move(struct env *e, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&e->state, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The claim of this name, if it is of the kind and in the table frame used last; else NULL. */
static inline const struct exo_cap *claim_quick(const struct env *e, exo_slot name,
						enum exo_kind kind, unsigned rights)
{
	const struct exo_cap *c = slot_at(exo_slot_sid(name));

	if (UNLIKELY(exo_slot_sid(name) / EXO_SLOTS_PER_FRAME != e->table_hit))
		return NULL;
	if (UNLIKELY(c->gen != exo_slot_gen(name) || c->kind != kind ||
		     (rights & ~(unsigned)c->rights)))
		return NULL;
	return c;
}

/* Can the CPU go from e to another without looking at vector registers, alarms or old processors?
 */
static inline bool switch_is_plain(const struct cpu *c, const struct env *e)
{
	return c->plain && !(e->page->alarm_tsc | e->alarm.tsc);
}

/* Make an environment the CPU's, except the registers that the way to user mode loads. */
static inline void env_take(struct cpu *c, struct env *e)
{
	c->env = e;
	c->page = e->page;
	c->ctx = e->now;
	if (e->cpu != c->number) {
		e->cpu = c->number;
		e->page->cpu = c->number;
	}
	space_load(c, e->space);
}

/* Give the CPU from the present environment to another; the vector registers keep their owner. */
static inline void env_swap(struct cpu *c, struct env *to)
{
	bases_swap(c->env, to);
	env_take(c, to);
	if (!c->ts || c->vector_owner)
		vectors_fence(c);
}

/* The same where switch_is_plain. */
static inline void env_swap_plain(struct cpu *c, struct env *from, struct env *to)
{
	from->fs_base = read_fsbase();
	write_fsbase(to->fs_base);
	from->gs_base = swap_user_gsbase(to->gs_base);
	env_take(c, to);
}

#endif
