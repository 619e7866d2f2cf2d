/* SPDX-License-Identifier: MIT */
/*
 * sched.c - putting environments on CPUs, in the order that the slice vectors say.
 *
 * Invariant: an environment is RUNNING exactly while it is the `env` of one CPU; it is moved there
 * from READY by an atomic exchange, so two CPUs never have it.  An environment's registers are
 * saved (env_leave) before its state lets another CPU take it.
 */
#include "sched.h"

#include <exo/errors.h>
#include <exo/space.h>

#include "calls.h"
#include "claim.h"
#include "cpu.h"
#include "event.h"
#include "gate.h"
#include "kernel.h"
#include "run.h"
#include "switch.h"
#include "timer.h"
#include "trace.h"
#include "vector.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/setup.h"
#include "x86/trap.h"

#define DEFER_NS 50000u         /* a slot's end is put off at most so long */

bool env_claim(struct env *e)
{
	return state_move(e, ENV_READY, ENV_RUNNING);
}

struct env *chain_top(struct env *e)
{
	struct env *next;

	/* The link may go while we look at it, the environment behind it may not (see grace.c). */
	while ((next = __atomic_load_n(&e->callee, __ATOMIC_ACQUIRE))) {
		if (__atomic_load_n(&e->cut, __ATOMIC_ACQUIRE) && gate_cut(e))
			break;
		e = next;
	}
	return e;
}

struct env *callee_last(struct env *e)
{
	struct env *next;

	while ((next = __atomic_load_n(&e->callee, __ATOMIC_ACQUIRE)))
		e = next;
	return e;
}

/* Which slot is it now?  True if another one began. */
static bool slot_advance(struct cpu *c, uint64_t now)
{
	uint64_t n;

	if (now < c->slot_end)
		return false;
	n = (now - machine->slice_base_tsc) / machine->slice_tsc;
	c->slot = n % EXO_VECTOR_SLOTS;
	c->slot_end = machine->slice_base_tsc + (n + 1) * machine->slice_tsc;
	c->vector->current = c->slot;
	c->deferred = false;
	return true;
}

/*
 * The first environment in the vector from slot `from` on that is ours to run, now RUNNING, or the
 * present one if its turn comes first; NULL if none can run.
 */
static inline struct env *pick(struct cpu *c, unsigned from)
{
	uint64_t last = 0;

	const struct exo_vector_slot *slots = c->vector->slot;
	struct env *e;

	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++) {
		uint64_t pfn = __atomic_load_n(&slots[(from + i) % EXO_VECTOR_SLOTS].env,
					       __ATOMIC_ACQUIRE);

		if (!pfn || pfn == last)
			continue;
		last = pfn;
		e = env_at(pfn);
		if (e->callee)
			e = chain_top(e);
		if (e != c->env &&
		    (__atomic_load_n(&e->state, __ATOMIC_RELAXED) != ENV_READY || !env_claim(e)))
			continue;
		c->stats->lends += i != 0;
		c->vector->charged = pfn;
		return e;
	}
	return NULL;
}

/* Is there nothing to look at but registers when `to` is run?  Then it goes on behind a call. */
static inline bool env_is_plain(const struct cpu *c, struct env *to)
{
	if (UNLIKELY(!c->plain || to->page->alarm_tsc != to->alarm.tsc))
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
		if (UNLIKELY(!env_is_plain(c, e) || !state_move(e, ENV_READY, ENV_RUNNING)))
			return NULL;
		c->stats->lends += n != 0;
		c->vector->charged = pfn;
		return e;
	}
	return NULL;
}

static void arm(struct cpu *c, uint64_t now)
{
	lapic_arm(timers_run(c, now));
}

/* No space is in use: it may end. */
static void space_leave(struct cpu *c)
{
	__atomic_store_n(&c->space, 0, __ATOMIC_RELEASE);
	write_cr3(virt_to_phys(kernel_pml4));
}

/* Nothing can run: sleep, interrupt by interrupt, until something can. */
static _Noreturn void idle(struct cpu *c)
{
	uint64_t since = read_tsc(), now = since;
	struct env *e;

	c->vector->running = c->vector->charged = 0;
	space_leave(c);
	trace_record(EXO_TRACE_IDLE, 0, c->slot);
	for (;;) {
		/* An interrupt clears it while it is handled. */
		__atomic_store_n(&c->idle, true, __ATOMIC_SEQ_CST);
		slot_advance(c, now);
		arm(c, now);
		e = pick(c, c->slot);
		if (e)
			break;
		idle_once();
		c->stats->entries++; /* what was read before the sleep is forgotten: see grace.c */
		now = read_tsc();
	}
	__atomic_store_n(&c->idle, false, __ATOMIC_SEQ_CST);
	c->stats->idle_tsc += read_tsc() - since;
	env_run(e);
}

void schedule_here(void)
{
	struct cpu *c = this_cpu();
	uint64_t now = read_tsc();
	struct env *e;

	c->resched = false;
	if (slot_advance(c, now))
		arm(c, now);
	e = pick(c, c->slot);
	if (!e)
		idle(c);
	env_run(e);
}

void schedule_next(void)
{
	struct cpu *c = this_cpu();
	struct env *e = pick(c, c->slot + 1);

	if (!e)
		schedule();
	env_run(e);
}

void env_leave(struct cpu *c)
{
	struct env *e = c->env;

	if (c->vector_owner)
		vectors_save(c);
	bases_save(e);
	c->env = NULL;
	c->page = NULL;
}

/* Back behind env_wait: its answer is how far the ring is now. */
static void wait_finish(struct env *e)
{
	if (e->wait.link)
		timer_clear(&e->wait);
	e->now->result = e->event_head;
}

_Noreturn static void env_resume(struct env *e)
{
	uint64_t rip;

	if (e->resume == RESUME_CALL)
		enter_call(e->now);
	switch (e->resume) {
	case RESUME_WAIT:
		wait_finish(e);
		enter_call(e->now);
	case RESUME_START:
		e->resume = RESUME_FROZEN;
		enter_start(e->start_rip, e->start_rdi);
	case RESUME_SLICE:
		e->resume = RESUME_FROZEN;
		rip = user_entry(&e->page->slice_rip);
		if (rip)
			enter_upcall(rip, e->page->upcall_rsp);
		enter_context(&e->page->area[EXO_AREA_UPCALL]);
	default:
		enter_context(&e->page->area[EXO_AREA_FROZEN]);
	}
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

/* May the environment get an upcall where it is? */
static bool upcalls_on(const struct env *e, uint64_t rip)
{
	const struct exo_env_page *p = e->page;

	return !p->upcalls_off && !(rip >= p->resume_lo && rip < p->resume_hi);
}

/* What a program sees behind a call that it returns from. */
static void context_behind(struct exo_context *a, const struct call_context *ctx)
{
	*a = (struct exo_context){
		.rax = ctx->result, .rip = ctx->rip, .rflags = ctx->rflags, .rsp = ctx->rsp,
		.rbx = ctx->rbx, .rbp = ctx->rbp, .r12 = ctx->r12, .r13 = ctx->r13, .r14 = ctx->r14,
		.r15 = ctx->r15,
	};
}

/* Events came while it was not running: begin with their upcall, if it may have one there. */
static void event_resume(struct env *e)
{
	struct exo_context *a = &e->page->area[EXO_AREA_UPCALL];
	bool frozen = e->resume == RESUME_FROZEN;
	uint64_t entry = user_entry(&e->page->event_rip);

	if (!entry || (!frozen && e->resume != RESUME_CALL && e->resume != RESUME_WAIT))
		return;
	if (!upcalls_on(e, frozen ? e->page->area[EXO_AREA_FROZEN].rip : e->now->rip))
		return;
	if (e->resume == RESUME_WAIT)
		wait_finish(e);
	if (frozen)
		*a = e->page->area[EXO_AREA_FROZEN];
	else
		context_behind(a, e->now);
	a->vector = EXO_TRAP_EVENT;
	e->page->upcalls_off = 1;
	e->upcall_head = e->event_head;
	enter_upcall(entry, e->page->upcall_rsp);
}

/* Run an environment that is on the CPU already. */
static _Noreturn void env_go(struct cpu *c, struct env *e)
{
	env_announce(c, e);
	if (e->stop_wanted)
		env_stop_self(e->stop_wanted);
	if (e->page->alarm_tsc != e->alarm.tsc)
		sys_env_alarm(e);
	if (__atomic_exchange_n(&e->attention, 0, __ATOMIC_SEQ_CST))
		event_resume(e);
	env_resume(e);
}

void env_run(struct env *e)
{
	struct cpu *c = this_cpu();

	env_take(c, e);
	vectors_fence(c);
	bases_load(e);
	env_go(c, e);
}

/* Leave the present environment, ready to run again, for one that is ours to run. */
static _Noreturn void env_change(struct cpu *c, struct env *e, struct env *to)
{
	if (c->vector_owner)
		vectors_save(c);
	env_swap(c, to);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	env_go(c, to);
}

/* As env_change where env_is_plain, for a yield within a slot; returns where it is not. */
static inline void env_change_plain(struct cpu *c, struct env *e, struct env *to)
{
	struct exo_env_page *p = to->page;

	if (UNLIKELY(to->how != RESUME_CALL || !c->plain || p->alarm_tsc != to->alarm.tsc))
		return;
	env_swap_plain(c, e, to);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	c->stats->switches++;
	p->slices++;
	p->slot = c->slot;
	p->slice_end_tsc = c->slot_end;
	enter_call(to->now);
}

/* Tell a CPU, whose vector names `e`, that `top` is ready on e's behalf. */
static inline void cpu_tell(struct cpu *c, const struct env *e, const struct env *top)
{
	if (c->env == top)
		return;
	if (c->vector->slot[c->slot].env == e->pfn || __atomic_load_n(&c->idle, __ATOMIC_SEQ_CST))
		lapic_kick(c);
}

void env_kick(struct env *e)
{
	const struct env *top = e;

	for (; e; e = e->caller)
		for (unsigned i = 0; i * 64 < cpu_count; i++) {
			uint64_t named = __atomic_load_n(&e->cpus[i], __ATOMIC_ACQUIRE);

			for (; named; named &= named - 1)
				cpu_tell(cpus[i * 64 + __builtin_ctzl(named)], e, top);
		}
}

/* Events came for an environment that runs, or will, and wants an upcall for them. */
static void env_attend(struct env *e)
{
	__atomic_store_n(&e->attention, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&e->state, __ATOMIC_SEQ_CST) != ENV_RUNNING)
		return;
	__atomic_store_n(&e->attention, 0, __ATOMIC_SEQ_CST);
	lapic_kick(cpus[e->cpu]);
}

void env_wake(struct env *e)
{
	uint32_t state = __atomic_load_n(&e->state, __ATOMIC_SEQ_CST);

	if ((state == ENV_BLOCKED || state == ENV_WAITING) && state_move(e, state, ENV_READY))
		env_kick(e);
	else if (e->page->event_rip)
		env_attend(e);
}

void env_wait_over(struct env *e)
{
	if (state_move(e, ENV_BLOCKED, ENV_READY) || state_move(e, ENV_WAITING, ENV_READY))
		env_kick(e);
}

void env_alarm_due(struct env *e)
{
	struct env *top;

	event_post(e, 0);
	if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) != ENV_CALLING)
		return;
	__atomic_store_n(&e->cut, 1, __ATOMIC_SEQ_CST);
	top = callee_last(e);
	if (__atomic_load_n(&top->state, __ATOMIC_ACQUIRE) == ENV_RUNNING)
		lapic_kick(cpus[top->cpu]);
	env_kick(e);
}

/* Does somebody whose call we are inside of want it cut? */
static bool cut_pending(const struct env *e)
{
	for (; e; e = e->caller)
		if (__atomic_load_n(&e->cut, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

/* Save the interrupted registers where the environment, or else the kernel, resumes them. */
static void preempt(struct cpu *c, struct env *e, const struct regs *r)
{
	struct exo_env_page *p = e->page;

	if (upcalls_on(e, r->rip) && p->slice_rip && !e->inside) {
		context_save(&p->area[EXO_AREA_UPCALL], r, EXO_TRAP_SLICE);
		p->upcalls_off = 1;
		e->resume = RESUME_SLICE;
	} else {
		context_save(&p->area[EXO_AREA_FROZEN], r, EXO_TRAP_SLICE);
		e->resume = RESUME_FROZEN;
	}
	p->preempted++;
	env_leave(c);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
}

/* The environment asks for a little more time, once a slot. */
static bool slot_deferred(struct cpu *c, struct env *e, uint64_t now)
{
	uint64_t more = machine->tsc_hz / 1000000000u * DEFER_NS;

	if (!more)
		more = machine->tsc_hz / (1000000000u / DEFER_NS);
	if (c->deferred || !e->page->critical)
		return false;
	c->deferred = true;
	c->slot_end = now + more;
	e->page->owed = 1;
	lapic_arm(c->slot_end);
	return true;
}

static void event_upcall(struct env *e, struct regs *r)
{
	uint64_t rip = user_entry(&e->page->event_rip);

	if (e->event_head == e->upcall_head || !rip || !upcalls_on(e, r->rip))
		return;
	e->upcall_head = e->event_head;
	context_save(&e->page->area[EXO_AREA_UPCALL], r, EXO_TRAP_EVENT);
	e->page->upcalls_off = 1;
	r->rip = rip;
	r->rsp = e->page->upcall_rsp;
	r->rflags = RFLAGS_USER;
}

void sched_interrupt(struct regs *r)
{
	struct cpu *c = this_cpu();
	struct env *e = c->env, *next;
	uint64_t now = read_tsc();

	if (e->stop_wanted)
		env_stop_self(e->stop_wanted);
	if (now >= c->slot_end) {
		if (slot_deferred(c, e, now))
			return;
		preempt(c, e, r);
		schedule();
	}
	if (c->resched) {
		c->resched = false;
		if (cut_pending(e)) {
			preempt(c, e, r);
			schedule();
		}
		next = pick(c, c->slot);
		if (next && next != e) {
			preempt(c, e, r);
			env_run(next);
		}
	}
	event_upcall(e, r);
}

void sched_timer(struct cpu *c)
{
	uint64_t now = read_tsc();

	if (now < c->slot_end)
		arm(c, now);
	else
		timers_run(c, now);
}

void sched_check(void)
{
	struct env *e = this_cpu()->env;

	if (e->stop_wanted)
		env_stop_self(e->stop_wanted);
}

__attribute__((noinline))
static int64_t yield_slow(struct env *e, uint64_t target)
{
	struct cpu *c = this_cpu();
	struct exo_cap *cap;
	struct env *to;
	int err;

	if ((err = claim_any(e, target, &cap)) < 0)
		return err;
	if (cap->kind != EXO_KIND_GATE && cap->kind != EXO_KIND_ENV)
		return -EXO_E_KIND;
	if (!(cap->rights & (EXO_R_RUN | EXO_R_CALL)))
		return -EXO_E_RIGHTS;
	to = env_at(cap->lo);
	if (!claim_same(cap, target))
		return -EXO_E_STALE;
	to = chain_top(to);
	if (to == e)
		return 0;
	if (!env_claim(to))
		return -EXO_E_BUSY;
	env_change(c, e, to);
}

_Noreturn static void yield_next(struct env *e)
{
	env_leave(this_cpu());
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	schedule_next();
}

/* It is ours already, but not as simple as that. */
__attribute__((noinline))
_Noreturn static void yield_claimed(struct env *e, struct env *to)
{
	env_change(this_cpu(), e, to);
}

int64_t sys_env_yield(struct env *e, uint64_t target)
{
	struct cpu *c = this_cpu();
	const struct exo_cap *cap;
	struct env *to;

	e->page->owed = 0;
	e->resume = RESUME_CALL;
	e->now->result = 0;
	if (!target)
		yield_next(e);
	cap = claim_quick(e, target, EXO_KIND_ENV, EXO_R_RUN);
	if (UNLIKELY(!cap))
		return yield_slow(e, target);
	to = env_at(cap->lo);
	if (UNLIKELY(!claim_same(cap, target) || to->callee || !env_claim(to)))
		return yield_slow(e, target);
	env_change_plain(c, e, to);
	yield_claimed(e, to);
}

/* Whose claim is not in the table frame used last, or is no doorbell. */
__attribute__((noinline))
static int64_t notify_slow(struct env *e, uint64_t doorbell)
{
	struct exo_cap *c;
	struct env *to;
	uint64_t entry;
	bool rings;
	int err = claim_find(e, doorbell, EXO_KIND_ENV, EXO_R_NOTIFY, &c);

	if (err)
		return err;
	to = env_at(c->lo);
	entry = c->hi - 1;
	rings = claim_is_doorbell(c);
	if (!claim_same(c, doorbell))
		return -EXO_E_STALE;
	if (!rings)
		return -EXO_E_ARG;
	event_post(to, entry);
	return 0;
}

/* The way out where another CPU puts something on the same ring. */
__attribute__((noinline))
static int64_t notify_ring(struct env *to, uint64_t entry)
{
	while (!event_put(to, entry))
		spin_wait();
	env_wake(to);
	return 0;
}

__attribute__((noinline))
static int64_t notify_wake(struct env *to)
{
	env_wake(to);
	return 0;
}

/* The slot is its own, and it is blocked no more: it runs when the present call ends (chosen_anew).
 */
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
	return wake_owner(c, to) ? 0 : notify_wake(to);
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
		to = pick(c, c->slot);
		if (!to || to == e)
			enter_call(e->now);
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

/* Block the present environment, whose deadline, if any, is set. */
__attribute__((noinline))
_Noreturn static void wait_block(struct env *e, uint64_t seen, uint64_t until)
{
	struct cpu *c = this_cpu();
	uint32_t blocked = e->inside ? ENV_WAITING : ENV_BLOCKED;

	e->wait_seen[e->inside] = seen;
	e->wait_until[e->inside] = until;
	if (e->page->alarm_tsc != e->alarm.tsc)
		alarm_read(e);
	if (until)
		timer_set(&e->wait, until);
	env_leave(c);
	if (until || e->alarm.link)
		arm(c, read_tsc());
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
	if (UNLIKELY(until || e->inside || !switch_is_plain(c, e)))
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

int64_t sys_env_alarm(struct env *e)
{
	alarm_read(e);
	arm(this_cpu(), read_tsc());
	return 0;
}

void cpu_start_scheduling(void)
{
	struct cpu *c = this_cpu();

	c->slot_end = machine->slice_base_tsc;
	schedule();
}
