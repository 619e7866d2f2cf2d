/* SPDX-License-Identifier: MIT */
/*
 * timer.c - deadlines of environments, on a wheel of slots for each CPU.
 *
 * Invariant: a deadline is on the list of the bucket of the slot it falls into, on one CPU; a bucket
 * is looked through when its slot begins and whenever the timer fires within it.
 */
#include "timer.h"

#include <base/util.h>

#include "cpu.h"
#include "kernel.h"
#include "sched.h"

static uint64_t slot_number(uint64_t tsc)
{
	if (tsc < machine->slice_base_tsc)
		return 0;
	return (tsc - machine->slice_base_tsc) / machine->slice_tsc;
}

static void timer_unlink(struct timer *t)
{
	if (!t->link)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
}

void timer_clear(struct timer *t)
{
	struct cpu *c = cpus[t->cpu];

	if (!t->link)
		return;
	lock_take(&c->slot_lock);
	timer_unlink(t);
	lock_release(&c->slot_lock);
	t->tsc = 0;
}

static void timer_link(struct cpu *c, struct timer *t)
{
	/* A deadline that has passed goes where it will be looked at next. */
	uint64_t slot = max_u64(slot_number(t->tsc), slot_number(read_tsc()));
	struct timer **head = &c->wheel[slot % WHEEL];

	t->next = *head;
	t->link = head;
	if (t->next)
		t->next->link = &t->next;
	*head = t;
}

void timer_set(struct timer *t, uint64_t tsc)
{
	struct cpu *c = this_cpu();

	timer_clear(t);
	t->tsc = tsc;
	t->cpu = c->number;
	lock_take(&c->slot_lock);
	timer_link(c, t);
	lock_release(&c->slot_lock);
}

void alarm_read(struct env *e)
{
	uint64_t tsc = e->page->alarm_tsc;

	if (tsc == e->alarm.tsc)
		return;
	if (tsc)
		timer_set(&e->alarm, tsc);
	else
		timer_clear(&e->alarm);
	e->alarm.tsc = tsc;
}

static struct timer *bucket_due(struct timer *list, uint64_t now)
{
	for (struct timer *t = list; t; t = t->next)
		if (t->tsc <= now)
			return t;
	return NULL;
}

static void timer_fire(struct timer *t)
{
	if (t->kind == TIMER_WAIT)
		env_wait_over(container_of(t, struct env, wait));
	else
		env_alarm_due(container_of(t, struct env, alarm));
}

/* Fire what is due in one bucket. */
static void bucket_run(struct cpu *c, uint64_t slot, uint64_t now)
{
	struct timer *t;

	for (;;) {
		lock_take(&c->slot_lock);
		t = bucket_due(c->wheel[slot % WHEEL], now);
		if (t)
			timer_unlink(t);
		lock_release(&c->slot_lock);
		if (!t)
			return;
		timer_fire(t);
	}
}

uint64_t timers_run(struct cpu *c, uint64_t now)
{
	uint64_t slot = slot_number(now), next = c->slot_end;

	if (slot - c->wheel_done >= WHEEL)
		c->wheel_done = slot - WHEEL + 1;
	for (; c->wheel_done < slot; c->wheel_done++)
		bucket_run(c, c->wheel_done, now);
	bucket_run(c, slot, now);
	lock_take(&c->slot_lock);
	for (struct timer *t = c->wheel[slot % WHEEL]; t; t = t->next)
		next = min_u64(next, t->tsc);
	lock_release(&c->slot_lock);
	return max_u64(next, now);
}
