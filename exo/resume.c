/* SPDX-License-Identifier: MIT */
/*
 * resume.c - an environment leaves a CPU; another goes on where it was.
 *
 * Where that is, its `resume` says: at its start, behind a call, with an upcall for its slice or
 * for events, or at the very instruction.  What lies in its page is hostile input here.
 */
#include <exo/errors.h>

#include "calls.h"
#include "sched.h"
#include "switch.h"
#include "timer.h"
#include "run.h"
#include "x86/enter.h"
#include "x86/offsets.h"

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
		if (rip) {
			e->page->upcalls++;
			enter_upcall(rip, e->page->upcall_rsp);
		}
		enter_context(&e->page->area[EXO_AREA_UPCALL]);
	default:
		enter_context(&e->page->area[EXO_AREA_FROZEN]);
	}
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

	if (e->event_head == e->upcall_head)
		return;
	if (!entry || (!frozen && e->resume != RESUME_CALL && e->resume != RESUME_WAIT))
		return;
	if (!upcalls_on(e->page, frozen ? e->page->area[EXO_AREA_FROZEN].rip : e->now->rip))
		return;
	if (e->resume == RESUME_WAIT)
		wait_finish(e);
	if (frozen)
		*a = e->page->area[EXO_AREA_FROZEN];
	else
		context_behind(a, e->now);
	a->vector = EXO_TRAP_EVENT;
	e->page->upcalls_off = 1;
	e->page->upcalls++;
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
	sched_soon(c);
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
void env_change(struct cpu *c, struct env *e, struct env *to)
{
	if (c->vector_owner)
		vectors_save(c);
	env_swap(c, to);
	__atomic_store_n(&e->state, ENV_READY, __ATOMIC_RELEASE);
	env_go(c, to);
}
