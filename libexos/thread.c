/* SPDX-License-Identifier: MIT */
/*
 * thread.c - threads of one environment.
 *
 * A switch saves a whole context into the thread that leaves: the kernel's, at a slice upcall, or
 * one made by exos_context_save; and resumes another's.  All lists are changed with switching
 * off.
 *
 * Invariant: a thread is running, in the ready queue, in one wait queue or among the sleepers, or
 * ended.
 */
#include "thread.h"
#include "core.h"

#include <exos/call.h>
#include <exos/error.h>
#include <exos/event.h>
#include <exos/heap.h>
#include <exos/lock.h>
#include <exos/thread.h>
#include <exos/upcall.h>

static struct exos_thread first = { .state = THREAD_RUNNING };
static struct exos_thread *current = &first;
static struct exos_thread_queue ready;
static struct exos_thread *sleepers;            /* wait for an event or a deadline */

static struct exos_thread *pick_first(struct exos_thread_queue *queue)
{
	return queue->first;
}
static exos_thread_pick *pick = pick_first;

void thread_queue_add(struct exos_thread_queue *queue, struct exos_thread *thread)
{
	thread->next = NULL;
	if (queue->last)
		queue->last->next = thread;
	else
		queue->first = thread;
	queue->last = thread;
}

bool thread_queue_remove(struct exos_thread_queue *queue, struct exos_thread *thread)
{
	struct exos_thread *before = NULL;

	for (struct exos_thread *t = queue->first; t; before = t, t = t->next) {
		if (t != thread)
			continue;
		if (before)
			before->next = t->next;
		else
			queue->first = t->next;
		if (queue->last == t)
			queue->last = before;
		t->next = NULL;
		return true;
	}
	return false;
}

void thread_ready(struct exos_thread *thread)
{
	thread->state = THREAD_READY;
	thread_queue_add(&ready, thread);
}

struct exos_thread *exos_thread_self(void)
{
	return current;
}

void exos_thread_pick_set(exos_thread_pick *new_pick)
{
	pick = new_pick ? new_pick : pick_first;
}

static bool sleeper_due(const struct exos_thread *t, uint64_t now)
{
	if (t->entry && exos_event_pending(t->entry))
		return true;
	return t->deadline && now >= t->deadline;
}

/* Sleepers whose time or event has come become ready; the earliest deadline of the others. */
static uint64_t sleepers_wake(void)
{
	uint64_t now = insn_tsc(), earliest = 0;
	struct exos_thread **place = &sleepers;

	while (*place) {
		struct exos_thread *t = *place;

		if (sleeper_due(t, now)) {
			*place = t->sleep_next;
			t->sleeping = false;
			if (t->queue && thread_queue_remove(t->queue, t))
				t->queue = NULL;
			thread_ready(t);
			continue;
		}
		if (t->deadline && (!earliest || t->deadline < earliest))
			earliest = t->deadline;
		place = &t->sleep_next;
	}
	return earliest;
}

void thread_sleep(struct exos_thread *thread)
{
	thread->sleeping = true;
	thread->sleep_next = sleepers;
	sleepers = thread;
}

void thread_wake(struct exos_thread *thread)
{
	struct exos_thread **place = &sleepers;

	while (thread->sleeping && *place) {
		if (*place == thread) {
			*place = thread->sleep_next;
			thread->sleeping = false;
			break;
		}
		place = &(*place)->sleep_next;
	}
	thread->queue = NULL;
	thread_ready(thread);
}

/* The next thread to run, out of the queue; waits in the kernel while none can. */
static struct exos_thread *next_ready(void)
{
	for (;;) {
		uint64_t seen = __atomic_load_n(&exos_page()->event_head, __ATOMIC_ACQUIRE);
		uint64_t earliest = sleepers ? sleepers_wake() : 0;
		struct exos_thread *t;

		exos_event_dispatch();
		t = ready.first ? pick(&ready) : NULL;
		if (t && thread_queue_remove(&ready, t))
			return t;
		exo_env_wait(seen, earliest);
	}
}

/* Leave the current thread, whose state says where it is now, and run the next. */
void thread_switch(void)
{
	struct exos_local *local = exos_local();
	struct exos_thread *from = current, *to;

	local->switch_depth++;
	to = next_ready();
	from->depth = local->switch_depth - 1;
	if (to != from && exos_context_save(&from->context)) {
		/* Back again, with the depth this thread had. */
		return;
	}
	to->state = THREAD_RUNNING;
	current = to;
	local->switch_depth = to->depth;
	local->switch_owed = 0;
	if (to != from)
		exos_context_resume(&to->context);
}

/* A slice begins after an involuntary end: the next thread's turn. */
static void slice_begin(struct exo_context *context)
{
	struct exos_local *local = exos_local();
	struct exos_thread *to;

	if (local->switch_depth) {
		local->switch_owed = 1;
		return;
	}
	if (sleepers)
		sleepers_wake();
	to = ready.first ? pick(&ready) : NULL;
	if (!to || !thread_queue_remove(&ready, to))
		return;
	current->context = *context;
	current->depth = 0;
	thread_ready(current);
	to->state = THREAD_RUNNING;
	current = to;
	local->switch_depth = to->depth;
	*context = to->context;
}

void exos_thread_yield(void)
{
	exos_switch_off();
	if (sleepers)
		sleepers_wake();
	if (!ready.first) {
		exos_switch_on();
		exo_env_yield(0);
		return;
	}
	thread_ready(current);
	thread_switch();
	exos_switch_on();
}

/* The switch that was put off while something short held the thread. */
static void switch_owed(void)
{
	if (ready.first)
		exos_thread_yield();
}

static _Noreturn void thread_begin(void)
{
	exos_switch_on();
	exos_thread_exit(current->start(current->argument));
}

/* The context in which a new thread begins: at thread_begin, with switching off once. */
static void context_make(struct exos_thread *t)
{
	uint64_t rsp = t->stack.hi - 8;         /* as after a call: rsp + 8 is a multiple of 16 */

	t->context = (struct exo_context){ 0 };
	exos_context_save(&t->context);         /* for the flags */
	t->context.rip = (uintptr_t)thread_begin;
	t->context.rsp = rsp;
	t->context.rbp = 0;
	t->depth = 1;
}

/* Entry 0, the alarm's, is nobody's to wait for: a wait for it is one for the deadline. */
static void wait_event(uint32_t entry, uint64_t deadline_tsc)
{
	exos_switch_off();
	current->entry = entry;
	current->deadline = deadline_tsc;
	if (!sleeper_due(current, insn_tsc())) {
		current->state = THREAD_WAITING;
		thread_sleep(current);
		thread_switch();
	}
	current->entry = 0;
	current->deadline = 0;
	exos_switch_on();
}

struct exos_thread *exos_thread_create(exos_thread_main *start, void *argument,
				       uint64_t stack_bytes)
{
	struct exos_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (exos_region_make(&t->stack, stack_bytes ? stack_bytes : EXOS_THREAD_STACK,
			     "stack of a thread") < 0) {
		free(t);
		return NULL;
	}
	t->start = start;
	t->argument = argument;
	context_make(t);
	exos_switch_off();
	exos_switch_hook = switch_owed;
	exos_wait_hook = wait_event;
	exos_upcall_slice(slice_begin);
	thread_ready(t);
	exos_switch_on();
	return t;
}

_Noreturn void exos_thread_exit(int result)
{
	if (current == &first)
		exos_exit(result);
	exos_switch_off();
	current->result = result;
	current->state = THREAD_ENDED;
	if (current->joiner)
		thread_wake(current->joiner);
	thread_switch();
	exos_panic("an ended thread was resumed");
}

int exos_thread_join(struct exos_thread *thread)
{
	int result;

	exos_switch_off();
	if (thread->state != THREAD_ENDED) {
		exos_assert(!thread->joiner && thread != current);
		thread->joiner = current;
		current->state = THREAD_WAITING;
		thread_switch();
	}
	result = thread->result;
	exos_switch_on();
	exos_region_unmake(&thread->stack);
	free(thread);
	return result;
}

