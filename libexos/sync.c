/* SPDX-License-Identifier: MIT */
/*
 * sync.c - mutex and condition for the threads of one environment.
 *
 * Invariant: a mutex with waiting threads has an owner; unlocking hands it to the first of them.
 */
#include "thread.h"

#include <exos/error.h>
#include <exos/lock.h>

/* Wait in a queue, with a deadline or none (0); switching is off. */
static void queue_wait(struct exos_thread_queue *queue, uint64_t deadline_tsc)
{
	struct exos_thread *self = exos_thread_self();

	self->state = THREAD_WAITING;
	self->queue = queue;
	self->entry = 0;
	self->deadline = deadline_tsc;
	thread_queue_add(queue, self);
	if (deadline_tsc)
		thread_sleep(self);
	thread_switch();
	self->deadline = 0;
}

/* The first waiting thread, made ready; NULL: none waits. */
static struct exos_thread *queue_wake(struct exos_thread_queue *queue)
{
	struct exos_thread *t = queue->first;

	if (!t)
		return NULL;
	thread_queue_remove(queue, t);
	thread_wake(t);
	return t;
}

bool exos_mutex_try(struct exos_mutex *mutex)
{
	bool got;

	exos_switch_off();
	got = !mutex->owner;
	if (got)
		mutex->owner = exos_thread_self();
	exos_switch_on();
	return got;
}

void exos_mutex_lock(struct exos_mutex *mutex)
{
	exos_switch_off();
	exos_assert(mutex->owner != exos_thread_self());
	if (mutex->owner)
		queue_wait(&mutex->waiting, 0);         /* the unlocker made us the owner */
	else
		mutex->owner = exos_thread_self();
	exos_switch_on();
}

static void mutex_pass(struct exos_mutex *mutex)
{
	exos_assert(mutex->owner == exos_thread_self());
	mutex->owner = queue_wake(&mutex->waiting);
}

void exos_mutex_unlock(struct exos_mutex *mutex)
{
	exos_switch_off();
	mutex_pass(mutex);
	exos_switch_on();
}

bool exos_condition_wait(struct exos_condition *condition, struct exos_mutex *mutex,
			 uint64_t deadline_tsc)
{
	struct exos_thread *self = exos_thread_self();
	bool woken;

	exos_switch_off();
	mutex_pass(mutex);
	self->woken = false;
	queue_wait(&condition->waiting, deadline_tsc);
	woken = self->woken;
	exos_switch_on();
	exos_mutex_lock(mutex);
	return woken;
}

void exos_condition_signal(struct exos_condition *condition)
{
	struct exos_thread *t;

	exos_switch_off();
	t = queue_wake(&condition->waiting);
	if (t)
		t->woken = true;
	exos_switch_on();
}

void exos_condition_broadcast(struct exos_condition *condition)
{
	struct exos_thread *t;

	exos_switch_off();
	while ((t = queue_wake(&condition->waiting)))
		t->woken = true;
	exos_switch_on();
}
