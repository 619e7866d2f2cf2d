/* SPDX-License-Identifier: MIT */
/*
 * env.c - environments: made, started, stopped, ended.
 *
 * Invariant: a stopped environment is on no CPU and in no gate.  It may still be named by slots,
 * and is passed over there.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/errors.h>
#include <exo/space.h>

#include "calls.h"
#include "claim.h"
#include "cpu.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "frame.h"
#include "gate.h"
#include "dev/irq.h"
#include "dev/pci_claim.h"
#include "hold.h"
#include "kernel.h"
#include "lock.h"
#include "prog.h"
#include "run.h"
#include "sched.h"
#include "slices.h"
#include "switch.h"
#include "table.h"
#include "timer.h"
#include "trace.h"
#include "vector.h"
#include "x86/lapic.h"

#define SOURCES_WINDOW 16u      /* sources parted between two windows for interrupts */

void env_make(uint64_t pfn, exo_sid object)
{
	static uint32_t made;
	struct env *e = env_at(pfn);

	for (unsigned i = 0; i < 2; i++)
		if (!frame_was_zero(pfn + i))
			memset(pfn_to_virt(pfn + i), 0, EXO_PAGE_SIZE);
	vectors_make(pfn_to_virt(pfn + 2));
	for (unsigned i = 0; i < EXO_FRAMES_ENV; i++)
		frame_entry(pfn + i)->object = 0;
	e->page = pfn_to_virt(pfn + 1);
	e->pfn = pfn;
	e->id = (uint64_t)++made << 32 | pfn;
	e->object = object;
	memset(e->table_hit, 0xff, sizeof(e->table_hit));
	known_forget(e);
	env_inside(e, 0);
	e->source[0].kind = SOURCE_ALARM;
	e->wait.kind = TIMER_WAIT;
	e->alarm.kind = TIMER_ALARM;
	e->page->env_pfn = pfn;
}

/* A third frame that was zero still is, unless vector state was saved there. */
void env_wipe(uint64_t pfn)
{
	bool vectors = !frame_was_zero(pfn + 2) || env_at(pfn)->has_vectors & VECTORS_SAVED;

	memset(pfn_to_virt(pfn), 0, (vectors ? EXO_FRAMES_ENV : 2) * EXO_PAGE_SIZE);
}

/* Nobody is told when the first program stops, and nobody can start it again. */
static void first_stopped(const struct env *e, uint32_t reason)
{
	const struct exo_context *a = &e->page->area[EXO_AREA_DOUBLE];

	if (reason == EXO_STOP_FAULT)
		panic("the first program stopped by exception %lu at 0x%lx, address 0x%lx, error "
		      "0x%lx",
		      a->vector, a->rip, a->cr2, a->error);
	serial_print("exo: the first program ended\n");
}

/* Its state is STOPPED now: part it from everybody who waits for it. */
static void stop_finish(struct env *e, uint32_t reason)
{
	e->stop_wanted = 0;
	e->page->stop_reason = reason;
	gate_forsake(e);
	timer_clear(&e->wait);
	timer_clear(&e->alarm);
	e->alarm.tsc = 0;
	trace_record(EXO_TRACE_STOP, e->pfn, reason);
	if (e->watch_env)
		event_post(env_at(e->watch_env), e->watch_entry);
	else if (!slot_at(e->object)->parent)
		first_stopped(e, reason);
}

static bool state_stop(struct env *e)
{
	static const uint32_t from[] = { ENV_BLOCKED, ENV_READY, ENV_CALLING, ENV_WAITING,
		                         ENV_ASLEEP };

	for (unsigned i = 0; i < ARRAY_LEN(from); i++)
		if (state_move(e, from[i], ENV_STOPPED))
			return true;
	return false;
}

int env_stop(struct env *e, uint32_t reason)
{
	if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == ENV_STOPPED)
		return 0;
	if (state_stop(e)) {
		stop_finish(e, reason);
		return 0;
	}
	if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == ENV_STOPPED)
		return 0;
	__atomic_store_n(&e->stop_wanted, reason, __ATOMIC_SEQ_CST);
	lapic_kick(cpus[e->cpu]);
	return EXO_MORE;
}

void env_stop_self(uint32_t reason)
{
	struct cpu *c = this_cpu();
	struct env *e = c->env;

	if (c->vector_owner == e)
		c->vector_owner = NULL;
	env_leave(c);
	tree_take();
	__atomic_store_n(&e->state, ENV_STOPPED, __ATOMIC_SEQ_CST);
	stop_finish(e, reason);
	tree_release();
	schedule();
}

int64_t sys_env_exit(struct env *e)
{
	(void)e;
	env_stop_self(EXO_STOP_EXIT);
}

void env_leave_space(struct env *e)
{
	uint64_t *head;

	if (!e->space)
		return;
	head = table_link(e->space, TABLE_ENVS);
	if (e->space_prev)
		env_at(e->space_prev)->space_next = e->space_next;
	else
		*head = e->space_next;
	if (e->space_next)
		env_at(e->space_next)->space_prev = e->space_prev;
	e->space = e->space_next = e->space_prev = 0;
	e->page->space_pfn = 0;
}

static void env_enter_space(struct env *e, uint64_t space)
{
	uint64_t *head = table_link(space, TABLE_ENVS);

	env_leave_space(e);
	e->space = space;
	e->space_next = *head;
	if (*head)
		env_at(*head)->space_prev = e->pfn;
	*head = e->pfn;
	e->page->space_pfn = space;
}

/* Part what posts to an environment that ends from it. */
static void sources_end(struct env *e)
{
	unsigned steps = 0;

	for (unsigned i = 1; i < EXO_EVENTS && e->sources; i++) {
		if (e->source[i].kind == SOURCE_IRQ)
			irq_unbind(e->source[i].id);
		else if (e->source[i].kind == SOURCE_RING)
			ring_forget(e->source[i].id);
		else if (e->source[i].kind == SOURCE_PACKETS)
			packets_forget(e->source[i].id);
		else if (e->source[i].kind == SOURCE_PCI_VECTOR)
			pci_vector_forget(e->source[i].id);
		else if (e->source[i].kind == SOURCE_PCI_FAULT)
			pci_fault_forget(e->source[i].id);
		else if (e->source[i].kind == SOURCE_WATCH)
			env_at(e->source[i].id)->watch_env = 0;
		window_every(&steps, e->source[i].kind != SOURCE_NONE, SOURCES_WINDOW);
		if (e->source[i].kind != SOURCE_NONE)
			event_free(e, i);
	}
}

static void watch_end(struct env *e)
{
	if (e->watch_env)
		event_free(env_at(e->watch_env), e->watch_entry);
	e->watch_env = 0;
}

/* No CPU has vector state of it any more. */
static void vectors_disown(struct env *e)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct env *owner = e;

		__atomic_compare_exchange_n(&cpus[i]->vector_owner, &owner, NULL, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
	e->has_vectors &= VECTORS_SAVED;
}

int env_end(struct env *e)
{
	if (env_stop(e, EXO_STOP_HOLDER))
		return EXO_MORE;
	work_done(32);
	env_leave_space(e);
	slices_forget(e);
	interrupts_window();
	sources_end(e);
	interrupts_window();
	watch_end(e);
	prog_set_predicate(e, e, 0);
	vectors_disown(e);
	return 0;
}

static int64_t env_set_space(struct env *by, struct env *e, uint64_t slot)
{
	struct exo_cap *space;
	int err = claim_ready(by, slot, EXO_KIND_SPACE, EXO_R_RUN, &space);

	if (err)
		return err;
	if (space->unit != EXO_SPACE_ENV)
		return -EXO_E_KIND;
	if (e->state != ENV_STOPPED)
		return -EXO_E_BUSY;
	env_enter_space(e, space->lo);
	return 0;
}

static int64_t env_start(struct env *e, uint64_t rip, uint64_t rdi)
{
	if (e->state != ENV_STOPPED || !e->space)
		return -EXO_E_BUSY;
	if (rip >= EXO_USER_TOP)
		return -EXO_E_RANGE;
	e->start_rip = rip;
	e->start_rdi = rdi;
	e->resume = RESUME_START;
	env_inside(e, 0);
	e->stop_wanted = 0;
	vectors_disown(e);
	e->page->upcalls_off = 1;
	e->page->stop_reason = EXO_STOP_RUNS;
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_SEQ_CST);
	env_kick(e);
	return 0;
}

static int64_t env_watch(struct env *by, struct env *e, uint64_t entry)
{
	int err;

	if (!entry) {
		if (e->watch_env == by->pfn)
			watch_end(e);
		return 0;
	}
	if (entry >= EXO_EVENTS)
		return -EXO_E_RANGE;
	if (e->watch_env)
		return -EXO_E_BUSY;
	if ((err = event_reserve(by, entry, SOURCE_WATCH, e->pfn)) < 0)
		return err;
	e->watch_env = by->pfn;
	e->watch_entry = entry;
	if (e->state == ENV_STOPPED && e->page->stop_reason != EXO_STOP_NEW)
		event_post(by, entry);
	return 0;
}

static int64_t env_set_fsbase(struct env *e, uint64_t base)
{
	if (e->state != ENV_STOPPED)
		return -EXO_E_BUSY;
	if (base >= EXO_USER_TOP)
		return -EXO_E_RANGE;
	e->fs_base = base;
	return 0;
}

/* tree_lock held. */
static int64_t env_control(struct env *by, uint64_t slot, uint64_t op, uint64_t arg, uint64_t arg2)
{
	struct exo_cap *c;
	struct env *e;
	int err = claim_ready(by, slot, EXO_KIND_ENV, EXO_R_CONTROL, &c);

	if (err)
		return err;
	e = env_at(c->lo);
	switch (op) {
	case EXO_ENV_SPACE:
		return env_set_space(by, e, arg);
	case EXO_ENV_START:
		return env_start(e, arg, arg2);
	case EXO_ENV_STOP:
		return env_stop(e, EXO_STOP_HOLDER);
	case EXO_ENV_WATCH:
		return env_watch(by, e, arg);
	case EXO_ENV_FSBASE:
		return env_set_fsbase(e, arg);
	case EXO_ENV_PREDICATE:
		return prog_set_predicate(by, e, arg);
	default:
		return -EXO_E_ARG;
	}
}

int64_t sys_env_control(struct env *e, uint64_t slot, uint64_t op, uint64_t arg, uint64_t arg2)
{
	int64_t result;

	tree_take();
	result = env_control(e, slot, op, arg, arg2);
	tree_release();
	sched_check();
	return result;
}
