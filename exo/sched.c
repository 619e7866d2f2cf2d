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
#include "charge.h"
#include "claim.h"
#include "cpu.h"
#include "event.h"
#include "gate.h"
#include "dev/irq.h"
#include "kernel.h"
#include "dev/pci_claim.h"
#include "prog.h"
#include "run.h"
#include "switch.h"
#include "timer.h"
#include "trace.h"
#include "vector.h"
#include "x86/enter.h"
#include "x86/lapic.h"
#include "x86/latency.h"
#include "x86/setup.h"
#include "x86/trap.h"

#define DEFER_NS 50000u         /* a slot's end is put off at most so long */

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

/* A slot begins: with another's time, if its owner owes some. */
static void slot_begin(struct cpu *c, uint64_t n)
{
	uint64_t start = c->slot_end - machine->slice_tsc;

	c->slot_number = n;
	c->deferred = false;
	c->slot = charge_pay(c, c->slot, start, &c->slot_end);
	if (c->irqs_held) {
		c->irqs_held = false;
		irqs_release();
		pci_vectors_release();
	}
}

/* Which slot is it now?  True if another one began, or the present one's owner has paid. */
static bool slot_advance(struct cpu *c, uint64_t now)
{
	uint64_t n;

	if (now < c->slot_end)
		return false;
	n = (now - machine->slice_base_tsc) / machine->slice_tsc;
	c->slot = n % EXO_VECTOR_SLOTS;
	c->slot_end = machine->slice_base_tsc + (n + 1) * machine->slice_tsc;
	if (n != c->slot_number)
		slot_begin(c, n);
	c->vector->current = c->slot;
	return true;
}

/* Ready, or asleep with a predicate that holds by now: then it is ours to run. */
static inline bool pick_claim(struct env *e, bool own_slot)
{
	uint32_t state = __atomic_load_n(&e->state, __ATOMIC_RELAXED);

	if (state == ENV_READY)
		return state_move(e, ENV_READY, ENV_RUNNING);
	return state == ENV_ASLEEP && own_slot && prog_predicate_holds(e) &&
	       state_move(e, ENV_ASLEEP, ENV_RUNNING);
}

/*
 * As chain_top, but NULL where the same search came by before: slots that name environments of one
 * long chain of calls do not make it longer.  look: the search's number, that of no other.
 */
static struct env *chain_top_once(struct env *e, uint64_t look)
{
	struct env *next;

	while ((next = __atomic_load_n(&e->callee, __ATOMIC_ACQUIRE))) {
		if (__atomic_exchange_n(&e->looked, look, __ATOMIC_RELAXED) == look)
			return NULL;
		if (__atomic_load_n(&e->cut, __ATOMIC_ACQUIRE) && gate_cut(e))
			break;
		e = next;
	}
	return e;
}

/*
 * The first environment in the vector from slot `from` on that is ours to run, now RUNNING, or the
 * present one if its turn comes first; NULL if none can run.
 */
static inline struct env *pick(struct cpu *c, unsigned from)
{
	const struct exo_vector_slot *slots = c->vector->slot;
	uint64_t last = 0, look = 0;
	struct env *e;

	for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++) {
		uint64_t pfn = __atomic_load_n(&slots[(from + i) % EXO_VECTOR_SLOTS].env,
					       __ATOMIC_ACQUIRE);

		if (!pfn || pfn == last)
			continue;
		last = pfn;
		e = env_at(pfn);
		if (e->callee) {
			look = look ? look : ++c->looks << 8 | c->number;
			e = chain_top_once(e, look);
		}
		if (!e || (e != c->env && !pick_claim(e, !i)))
			continue;
		c->stats->lends += i != 0;
		c->vector->charged = pfn;
		return e;
	}
	return NULL;
}

struct env *sched_pick(struct cpu *c)
{
	return pick(c, c->slot);
}

void sched_arm(struct cpu *c, uint64_t now)
{
	lapic_arm(timers_run(c, now));
}

void sched_arm_only(struct cpu *c)
{
	lapic_arm(timers_next(c));
}

/* No space is in use: it may end. */
static void space_leave(struct cpu *c)
{
	if (!c->space)
		return;
	__atomic_store_n(&c->space, 0, __ATOMIC_RELEASE);
	write_cr3(virt_to_phys(kernel_pml4));
}

/*
 * Who is to run on an idle CPU, or NULL.  Behind a sleep what was read before it is forgotten, and
 * so is the space that was left loaded for a program that waits for a moment only: see grace.c.
 */
static struct env *idle_pick(struct cpu *c, bool slept, bool *began)
{
	uint64_t now = read_tsc();
	struct env *e;

	/* An interrupt clears it while it is handled. */
	__atomic_store_n(&c->idle, true, __ATOMIC_SEQ_CST);
	*began |= slot_advance(c, now);
	sched_arm(c, now);
	c->resched = false;
	e = pick(c, c->slot);
	if (!slept)
		return e;
	if (e)
		space_load(c, e->space);
	else
		space_leave(c);
	c->stats->entries++;
	return e;
}

/* Nothing can run: sleep, interrupt by interrupt, until something can. */
static _Noreturn void idle(struct cpu *c)
{
	uint64_t since = read_tsc();
	bool began = false;
	struct env *e;

	c->vector->running = c->vector->charged = 0;
	trace_record(EXO_TRACE_IDLE, 0, c->slot);
	for (bool slept = false; !(e = idle_pick(c, slept, &began)); slept = true) {
		latency_end(c);
		idle_once();
		latency_begin(c, EXO_LATENCY_IDLE);
	}
	__atomic_store_n(&c->idle, false, __ATOMIC_SEQ_CST);
	c->stats->idle_tsc += read_tsc() - since;
	e->page->slots += began;
	env_run(e);
}

void schedule_here(void)
{
	struct cpu *c = this_cpu();
	uint64_t now = read_tsc();
	struct env *e;
	bool began;

	c->resched = false;
	began = slot_advance(c, now);
	if (began)              /* what is due has an interrupt of its own: this one may be long */
		sched_arm_only(c);
	e = pick(c, c->slot);
	if (!e)
		idle(c);
	e->page->slots += began;
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
	if (__atomic_load_n(&e->state, __ATOMIC_SEQ_CST) == ENV_RUNNING)
		lapic_kick(cpus[e->cpu]);
}

void env_wake(struct env *e)
{
	uint32_t state = __atomic_load_n(&e->state, __ATOMIC_SEQ_CST);

	if ((state == ENV_BLOCKED || state == ENV_WAITING) && state_move(e, state, ENV_READY))
		env_kick(e);
	else if (state == ENV_ASLEEP && prog_predicate_holds(e))
		env_wake_asleep(e);
	else if (e->page->event_rip || __atomic_load_n(&e->in_guest, __ATOMIC_SEQ_CST))
		env_attend(e);
}

void env_wait_over(struct env *e)
{
	if (state_move(e, ENV_BLOCKED, ENV_READY) || state_move(e, ENV_WAITING, ENV_READY) ||
	    state_move(e, ENV_ASLEEP, ENV_READY))
		env_kick(e);
}

void env_wake_asleep(struct env *e)
{
	if (state_move(e, ENV_ASLEEP, ENV_READY))
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

	if (upcalls_on(e->page, r->rip) && p->slice_rip && !env_is_inside(e)) {
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
	charge_add(e, more);
	e->page->owed = 1;
	lapic_arm(c->slot_end);
	return true;
}

bool slot_over(struct cpu *c, struct env *e)
{
	uint64_t now = read_tsc();

	return now >= c->slot_end && !slot_deferred(c, e, now);
}

static void event_upcall(struct env *e, struct regs *r)
{
	uint64_t rip = user_entry(&e->page->event_rip);

	if (e->event_head == e->upcall_head || !rip || !upcalls_on(e->page, r->rip))
		return;
	__atomic_store_n(&e->attention, 0, __ATOMIC_SEQ_CST);
	e->upcall_head = e->event_head;
	context_save(&e->page->area[EXO_AREA_UPCALL], r, EXO_TRAP_EVENT);
	e->page->upcalls_off = 1;
	e->page->upcalls++;
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
		sched_arm(c, now);
	else
		timers_run(c, now);
}

void sched_soon(struct cpu *c)
{
	if (c->resched)
		lapic_send(c->apic_id, VECTOR_KICK);
}

void sched_check(void)
{
	struct env *e = this_cpu()->env;

	if (e->stop_wanted)
		env_stop_self(e->stop_wanted);
}

int64_t sys_env_alarm(struct env *e)
{
	alarm_read(e);
	sched_arm(this_cpu(), read_tsc());
	return 0;
}

void cpu_start_scheduling(void)
{
	struct cpu *c = this_cpu();

	c->slot_end = machine->slice_base_tsc;
	latency_begin(c, EXO_LATENCY_IDLE);
	c->open = true;
	schedule();
}
