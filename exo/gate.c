/* SPDX-License-Identifier: MIT */
/*
 * gate.c - gate calls: control moves to another environment's entry and back, on one slice.
 *
 * Invariant: callee->caller == caller and caller->callee == callee while the call lasts; whoever
 * changes the caller's state away from CALLING (the return, its stop, its alarm) ends the call.
 * Registers are moved by x86/entry.S; here is who may call and what becomes of both.
 */
#include "gate.h"

#include <exo/errors.h>

#include "calls.h"
#include "claim.h"
#include "cpu.h"
#include "sched.h"
#include "switch.h"
#include "timer.h"
#include "vector.h"
#include "x86/lapic.h"
#include "x86/offsets.h"

/* The callee goes back to where it waited, and on from there if the wait is over. */
static void callee_rest(struct env *e)
{
	uint32_t seen = e->wait_seen[0];
	uint64_t until = e->wait_until[0];

	if (until && !e->wait.link) {
		timer_set(&e->wait, until);
		sched_arm(this_cpu(), read_tsc());
	}
	e->resume = RESUME_WAIT;
	__atomic_store_n(&e->state, ENV_BLOCKED, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != seen ||
	    (until && until <= read_tsc()))
		env_wake(e);
}

/* The two are caller and callee from now on. */
static inline void env_link(struct env *e, struct env *to)
{
	env_inside(to, e->depth + 1);
	to->caller = e;
	e->callee = to;
	e->cut = 0;
}

/* An alarm that came before the call could be cut is still due. */
static void alarm_missed(struct cpu *c, struct env *e)
{
	if (e->alarm.tsc > read_tsc())
		return;
	__atomic_store_n(&e->cut, 1, __ATOMIC_SEQ_CST);
	lapic_send(c->apic_id, VECTOR_KICK);
}

int64_t gate_call(struct env *e, uint64_t gate, uint64_t cap)
{
	struct cpu *c = this_cpu();
	struct exo_cap *g;
	struct env *to;
	int64_t passed;
	int err = claim_find(e, gate, EXO_KIND_GATE, EXO_R_CALL, &g);

	if (err)
		return err;
	if (e->depth >= DEPTH_MAX)
		return -EXO_E_ROOM;
	to = env_at(g->lo);
	c->gate_rip = g->hi;
	c->gate_rdi = g->badge;
	if (!claim_same(g, gate))
		return -EXO_E_STALE;
	if (!state_move(to, ENV_BLOCKED, ENV_RUNNING))
		return to->state == ENV_STOPPED ? -EXO_E_ENDED : -EXO_E_BUSY;
	passed = cap ? cap_pass(e, cap, to) : 0;
	if (passed < 0) {
		callee_rest(to);
		sched_soon(c);
		return passed;
	}
	c->gate_rsi = passed;
	c->gate_rsp = to->page->gate_rsp;
	known_learn(e, KNOWN_GATE, g, gate);
	env_link(e, to);
	if (e->page->alarm_tsc != e->alarm.tsc)
		sys_env_alarm(e);
	if (c->vector_owner && c->vector_owner != e)
		vectors_save(c);        /* it may go on elsewhere if its call is ended */
	env_swap(c, to);
	__atomic_store_n(&e->state, ENV_CALLING, __ATOMIC_SEQ_CST);
	if (e->alarm.tsc)
		alarm_missed(c, e);
	sched_soon(c);
	return 0;
}

/* The caller is ours to run, unless its call was ended by other means. */
static bool caller_take(struct env *caller, const struct env *callee)
{
	bool ours;

	while (!state_move(caller, ENV_CALLING, ENV_PARTING)) {
		if (__atomic_load_n(&caller->state, __ATOMIC_ACQUIRE) != ENV_PARTING)
			return false;
		spin_wait();
	}
	ours = caller->callee == callee;        /* or it was cut, and is in another call by now */
	__atomic_store_n(&caller->state, ours ? ENV_RUNNING : ENV_CALLING, __ATOMIC_SEQ_CST);
	return ours;
}

int64_t gate_return(struct env *e, uint64_t result, uint64_t cap)
{
	struct cpu *c = this_cpu();
	struct env *caller = e->caller;
	int64_t passed = 0;

	if (!env_is_inside(e))
		return -EXO_E_ARG;
	if (cap && caller && (passed = cap_pass(e, cap, caller)) < 0) {
		sched_soon(c);
		return passed;
	}
	if (c->vector_owner == e)
		vectors_save(c);
	env_inside(e, 0);
	caller = __atomic_exchange_n(&e->caller, NULL, __ATOMIC_ACQ_REL);
	if (!caller || !caller_take(caller, e)) {
		env_leave(c);
		callee_rest(e);
		schedule();
	}
	caller->callee = NULL;
	caller->cut = 0;
	c->gate_rdi = result;
	c->gate_rsi = passed;
	env_swap(c, caller);
	callee_rest(e);
	if (c->resched || caller->attention)
		lapic_send(c->apic_id, VECTOR_KICK);
	return 0;
}

/*
 * Events came for one of the two while the callee went to rest.  That one is blocked already, so
 * maybe another's by now: it is only woken, as by anybody else.
 */
void gate_returned(struct env *e, struct env *caller)
{
	struct cpu *c = this_cpu();

	if (__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != e->wait_seen[0])
		env_wake(e);
	if (c->resched || caller->attention)
		lapic_send(c->apic_id, VECTOR_KICK);
}

/* The call of e to `callee` ends without its return: e goes on with `result`. */
static bool gate_break(struct env *e, struct env *callee, int64_t result)
{
	struct env *self = e;

	if (!state_move(e, ENV_CALLING, ENV_PARTING))
		return false;
	if (e->callee != callee) {      /* it is another call by now */
		__atomic_store_n(&e->state, ENV_CALLING, __ATOMIC_SEQ_CST);
		return false;
	}
	*e->now = (struct call_context){
		.rip = e->now->rip, .rflags = e->now->rflags, .rsp = e->now->rsp,
		.rbx = e->now->rbx, .rbp = e->now->rbp, .result = result,
	};
	e->resume = RESUME_CALL;
	e->callee = NULL;
	if (callee)
		__atomic_compare_exchange_n(&callee->caller, &self, NULL, false, __ATOMIC_ACQ_REL,
		                            __ATOMIC_RELAXED);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_SEQ_CST);
	return true;
}

bool gate_cut(struct env *e)
{
	struct env *callee = __atomic_load_n(&e->callee, __ATOMIC_ACQUIRE), *top = callee_last(e);

	if (top != e && __atomic_load_n(&top->state, __ATOMIC_ACQUIRE) == ENV_RUNNING)
		return false;
	e->cut = 0;
	return callee && gate_break(e, callee, -EXO_E_TIME);
}

void gate_forsake(struct env *e)
{
	struct env *caller = __atomic_exchange_n(&e->caller, NULL, __ATOMIC_ACQ_REL);
	struct env *callee = e->callee, *self = e;

	if (callee) {
		__atomic_compare_exchange_n(&callee->caller, &self, NULL, false, __ATOMIC_ACQ_REL,
		                            __ATOMIC_RELAXED);
		e->callee = NULL;
	}
	env_inside(e, 0);
	if (caller && gate_break(caller, e, -EXO_E_ENDED))
		env_kick(caller);
}
