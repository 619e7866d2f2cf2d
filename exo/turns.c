/* SPDX-License-Identifier: MIT */
/*
 * turns.c - calls that hand the CPU over: yield, notify, wait, notify and wait.
 *
 * Of a notify and a wait each has a short way, which calls nothing, for the common case: a claim in
 * the table frame used last, no vector state, no alarm, an environment that goes on behind a call.
 * Everything else goes the long way, through resume.c and sched.c.  The short ways of the others
 * are in x86/handover.S and x86/notify.S.
 */
#include <exo/errors.h>

#include "calls.h"
#include "claim.h"
#include "event.h"
#include "prog.h"
#include "run.h"
#include "sched.h"
#include "switch.h"
#include "timer.h"
#include "turns.h"
#include "x86/enter.h"
#include "x86/lapic.h"

_Noreturn static void yield_next(struct env *e)
{
	env_leave(this_cpu());
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	schedule_next();
}

/* Who is to run by this ENV or GATE claim, or NULL and an error. */
static struct env *yield_target(struct env *e, uint64_t target, int *err)
{
	struct exo_cap *cap;
	struct env *to;

	if ((*err = claim_any(e, target, &cap)) < 0)
		return NULL;
	*err = -EXO_E_KIND;
	if (cap->kind != EXO_KIND_GATE && cap->kind != EXO_KIND_ENV)
		return NULL;
	*err = -EXO_E_RIGHTS;
	if (!(cap->rights & (EXO_R_RUN | EXO_R_CALL)))
		return NULL;
	to = env_at(cap->lo);
	*err = -EXO_E_BUSY;
	if (claim_is_ending_object(cap))
		return NULL;
	known_learn(e, KNOWN_YIELD, cap, target);
	*err = -EXO_E_STALE;
	return claim_same(cap, target) ? to : NULL;
}

int64_t sys_env_yield(struct env *e, uint64_t target)
{
	struct env *to;
	int err;

	e->page->owed = 0;
	e->resume = RESUME_CALL;
	e->now->result = 0;
	if (!target)
		yield_next(e);
	to = yield_target(e, target, &err);
	if (!to)
		return err;
	to = chain_top(to);
	if (to == e)
		return 0;
	if (!state_move(to, ENV_READY, ENV_RUNNING))
		return -EXO_E_BUSY;
	env_change(this_cpu(), e, to);
}

void yield_to(struct env *e, struct env *to)
{
	env_change(this_cpu(), e, to);
}

/* Whom a doorbell posts to, and which entry; or NULL and an error. */
static struct env *bell_target(struct env *e, uint64_t doorbell, uint64_t *entry, int *err)
{
	struct exo_cap *c;
	struct env *to;
	bool rings;

	*err = claim_find(e, doorbell, EXO_KIND_ENV, EXO_R_NOTIFY, &c);
	if (*err)
		return NULL;
	to = env_at(c->lo);
	*entry = c->hi - 1;
	rings = claim_is_doorbell(c);
	if (rings)
		known_learn(e, KNOWN_BELL, c, doorbell);
	*err = -EXO_E_STALE;
	if (!claim_same(c, doorbell))
		return NULL;
	*err = -EXO_E_ARG;
	return rings ? to : NULL;
}

/* Whose claim is not in the table frame used last, or is no doorbell. */
__attribute__((noinline))
static int64_t notify_slow(struct env *e, uint64_t doorbell)
{
	uint64_t entry;
	int err;
	struct env *to = bell_target(e, doorbell, &entry, &err);

	if (!to)
		return err;
	event_post(to, entry);
	return 0;
}

void notify_put(struct env *to, uint64_t entry)
{
	while (!event_put(to, entry))
		spin_wait();
}

/* The way out where another CPU puts something on the same ring. */
__attribute__((noinline))
static int64_t notify_ring(struct env *to, uint64_t entry)
{
	notify_put(to, entry);
	env_wake(to);
	return 0;
}

/* The slot is its own, and it is blocked no more: it runs when the present call ends. */
static inline bool wake_owner(struct cpu *c, struct env *to)
{
	if (c->vector->slot[c->slot].env != to->pfn || !state_move(to, ENV_BLOCKED, ENV_RUNNING))
		return false;
	c->vector->charged = to->pfn;
	c->next = to;
	c->resched = true;
	return true;
}

int64_t sys_env_notify(struct env *e, uint64_t doorbell)
{
	struct cpu *c = this_cpu();
	const struct exo_cap *cap = claim_quick(e, doorbell, EXO_KIND_ENV, EXO_R_NOTIFY);
	struct env *to;
	uint64_t entry;

	if (UNLIKELY(!cap || !claim_is_doorbell(cap)))
		return notify_slow(e, doorbell);
	to = env_at(cap->lo);
	entry = cap->hi - 1;
	if (UNLIKELY(!claim_same(cap, doorbell)))
		return -EXO_E_STALE;
	if (__atomic_fetch_add(&to->page->event_count[entry], 1, __ATOMIC_ACQ_REL))
		return 0;
	if (UNLIKELY(!event_put(to, entry)))
		return notify_ring(to, entry);
	if (__atomic_load_n(&to->state, __ATOMIC_SEQ_CST) == ENV_READY && !to->page->event_rip)
		return 0;
	if (!wake_owner(c, to))
		env_wake(to);
	return 0;
}

/* A call made somebody ready who may come first; its caller's registers are in its context. */
void sched_after_call(struct env *e)
{
	struct cpu *c = this_cpu();
	struct env *to = c->next;

	c->resched = false;
	c->next = NULL;
	e->resume = RESUME_CALL;
	if (!to) {
		if (e->stop_wanted)
			env_stop_self(e->stop_wanted);
		if (slot_over(c, e)) {
			e->page->preempted++;
			env_leave(c);
			__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
			schedule();
		}
		to = sched_pick(c);
		if (!to || to == e) {
			/* Its own events, or its call's end: an interrupt sees to them. */
			lapic_send(c->apic_id, VECTOR_KICK);
			enter_call(e->now);
		}
	}
	e->page->preempted++;
	if (UNLIKELY(!env_is_plain(c, to)))
		env_change(c, e, to);
	wait_answer(to);
	env_swap_plain(c, e, to);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	env_announce(c, to);
	enter_call(to->now);
}

/* Leave the CPU until something is posted or `until` comes; what state that is, is the caller's. */
static void wait_leave(struct cpu *c, struct env *e, uint64_t until)
{
	alarm_read(e);
	if (until)
		timer_set(&e->wait, until);
	env_leave(c);
	if (until || e->alarm.link)
		sched_arm(c, read_tsc());
}

/* Block the present environment. */
__attribute__((noinline))
_Noreturn static void wait_block(struct env *e, uint64_t seen, uint64_t until)
{
	struct cpu *c = this_cpu();
	uint32_t blocked = env_is_inside(e) ? ENV_WAITING : ENV_BLOCKED;

	e->wait_seen[env_is_inside(e)] = seen;
	e->wait_until[env_is_inside(e)] = until;
	wait_leave(c, e, until);
	__atomic_store_n(&e->state, blocked, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != (uint32_t)seen ||
	    (until && until <= read_tsc()))
		state_move(e, blocked, ENV_READY);
	schedule();
}

int64_t sys_env_wait(struct env *e, uint64_t seen, uint64_t until)
{
	struct cpu *c = this_cpu();
	struct env *to;

	if (e->event_head != (uint32_t)seen || (until && until <= read_tsc()))
		return e->event_head;
	e->resume = RESUME_WAIT;
	if (UNLIKELY(until || env_is_inside(e) || !switch_is_plain(c, e)))
		wait_block(e, seen, until);
	e->wait_seen[0] = seen;
	e->wait_until[0] = 0;
	bases_save_plain(e);
	c->env = NULL;
	__atomic_store_n(&e->state, ENV_BLOCKED, __ATOMIC_SEQ_CST);
	if (UNLIKELY(__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != (uint32_t)seen))
		state_move(e, ENV_BLOCKED, ENV_READY);
	to = pick_plain(c);
	if (UNLIKELY(!to))
		schedule();
	wait_answer(to);
	bases_load_plain(to);
	env_take(c, to);
	env_announce(c, to);
	enter_call(to->now);
}

/* Of who posted in the same call: where it need not wait, whom it woke may come first. */
static int64_t wait_posted(struct env *e, uint64_t seen, uint64_t until)
{
	int64_t head = sys_env_wait(e, seen, until);

	sched_soon(this_cpu());
	return head;
}

int64_t sys_env_notify_wait(struct env *e, uint64_t doorbell, uint64_t seen, uint64_t until)
{
	int64_t err = notify_slow(e, doorbell);

	return err ? err : wait_posted(e, seen, until);
}

int64_t notify_then_wait(struct env *e, struct env *to, uint64_t entry, uint64_t seen)
{
	notify_ring(to, entry);
	return wait_posted(e, seen, 0);
}

void notify_waited(struct env *e)
{
	env_wake(e);
	sched_soon(this_cpu());
}

void notify_wait_to(struct env *e, struct env *to, uint64_t seen)
{
	struct cpu *c = this_cpu();

	e->resume = RESUME_WAIT;
	e->wait_seen[0] = seen;
	e->wait_until[0] = 0;
	env_leave(c);
	__atomic_store_n(&e->state, ENV_BLOCKED, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&e->event_head, __ATOMIC_SEQ_CST) != (uint32_t)seen)
		notify_waited(e);
	c->vector->charged = to->pfn;
	env_run(to);
}

static inline bool sleep_over(const struct env *e, uint64_t until)
{
	return prog_predicate_holds(e) || (until && until <= read_tsc());
}

int64_t sys_env_wait_until(struct env *e, uint64_t until)
{
	struct cpu *c = this_cpu();

	if (env_is_inside(e))
		return -EXO_E_BUSY;
	if (!e->predicate)
		return -EXO_E_ABSENT;
	if (sleep_over(e, until))
		return e->event_head;
	e->resume = RESUME_WAIT;
	e->wait_until[0] = until;
	wait_leave(c, e, until);
	/* What was posted or written before it counts as asleep is seen now, the rest by others. */
	__atomic_store_n(&e->state, ENV_ASLEEP, __ATOMIC_SEQ_CST);
	if (sleep_over(e, until))
		state_move(e, ENV_ASLEEP, ENV_READY);
	schedule();
}
