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
#include "sched.h"
#include "vector.h"
#include "x86/bases.h"

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

	if (UNLIKELY(!table_known(e, exo_slot_sid(name) / EXO_SLOTS_PER_FRAME)))
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
	return !(c->fancy | e->page->alarm_tsc | e->alarm.tsc);
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

/* What the environment and everybody may know of its being put on the CPU. */
static inline void env_announce(struct cpu *c, struct env *e)
{
	struct exo_trace_record *r = trace_next(c);
	struct exo_env_page *p = e->page;
	uint64_t pfn = e->pfn;
	uint32_t slot = c->slot;

	r->tsc = read_tsc();
	r->kind = EXO_TRACE_RUN;
	r->b = slot;
	r->a = pfn;
	c->vector->running = pfn;
	p->slices++;
	p->slot = slot;
	p->slice_end_tsc = c->slot_end;
	c->stats->switches++;
}

/* Is there nothing to look at but registers when `to` is run?  Then it goes on behind a call. */
static inline bool env_is_plain(const struct cpu *c, struct env *to)
{
	if (UNLIKELY(c->fancy || to->page->alarm_tsc != to->alarm.tsc))
		return false;
	if (to->how == RESUME_CALL)
		return true;
	return to->how == RESUME_WAIT && !to->wait.link;
}

/* If it goes on behind env_wait, that is its answer; env_is_plain. */
static inline void wait_answer(struct env *to)
{
	if (to->resume == RESUME_WAIT)
		to->now->result = to->event_head;
}

/*
 * The same without a call: NULL also where something would have to be looked at (a gate call, an
 * alarm), and then nothing was done.
 */
static inline struct env *pick_plain(struct cpu *c)
{
	const struct exo_vector_slot *slots = c->vector->slot;

	for (unsigned n = 0, i = c->slot; n < EXO_VECTOR_SLOTS;
	     n++, i = (i + 1) % EXO_VECTOR_SLOTS) {
		uint64_t pfn = __atomic_load_n(&slots[i].env, __ATOMIC_ACQUIRE);
		struct env *e = env_at(pfn);

		if (!pfn)
			continue;
		if (UNLIKELY(e->callee))
			return NULL;
		if (__atomic_load_n(&e->state, __ATOMIC_RELAXED) != ENV_READY)
			continue;
		if (UNLIKELY(!state_move(e, ENV_READY, ENV_RUNNING)))
			return NULL;
		c->stats->lends += n != 0;
		c->vector->charged = pfn;
		/* What it goes on with is known only when it is ours. */
		if (UNLIKELY(!env_is_plain(c, e)))
			env_run(e);
		return e;
	}
	return NULL;
}

#endif
