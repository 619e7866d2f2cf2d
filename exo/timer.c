/* SPDX-License-Identifier: MIT */
/*
 * timer.c - deadlines of environments, on a wheel of slots for each CPU.
 *
 * Invariant: a deadline is on the list of the bucket of the slot it falls into, on one CPU; a
 * bucket is looked through when its slot begins and whenever the timer fires within it.
 */
#include "timer.h"

#include <base/util.h>

#include "cpu.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "kernel.h"
#include "sched.h"

#define FIRE_MAX 64             /* timers of a bucket that are fired at a time */

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

/* Put a timer on a list; the CPU's lock is held. */
static void timer_push(struct timer **head, struct timer *t)
{
	t->next = *head;
	t->link = head;
	if (t->next)
		t->next->link = &t->next;
	*head = t;
}

static void timer_link(struct cpu *c, struct timer *t)
{
	/* A deadline that has passed goes where it will be looked at next. */
	uint64_t slot = max_u64(slot_number(t->tsc), slot_number(read_tsc()));

	timer_push(&c->wheel[slot % WHEEL], t);
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

static void timer_fire(struct timer *t)
{
	if (t->kind == TIMER_WAIT)
		env_wait_over(container_of(t, struct env, wait));
	else if (t->kind == TIMER_NIC)
		nic_timer(t);
	else if (t->kind == TIMER_DISK)
		disk_timer(t);
	else
		env_alarm_due(container_of(t, struct env, alarm));
}

/* Move up to FIRE_MAX due timers of a bucket to a list of their own; how many. */
static unsigned bucket_sort(struct timer *t, struct timer **due, uint64_t now)
{
	struct timer *next;
	unsigned n;

	for (n = 0; t && n < FIRE_MAX; t = next) {
		next = t->next;
		if (t->tsc > now)
			continue;
		timer_unlink(t);
		timer_push(due, t);
		n++;
	}
	return n;
}

/* Fire what is due in one bucket, or a good part of it: true if there may be more. */
static bool bucket_run(struct cpu *c, uint64_t slot, uint64_t now)
{
	struct timer *due = NULL, *t;
	unsigned n;

	lock_take(&c->slot_lock);
	n = bucket_sort(c->wheel[slot % WHEEL], &due, now);
	while ((t = due)) {
		timer_unlink(t);
		lock_release(&c->slot_lock);
		timer_fire(t);
		lock_take(&c->slot_lock);
	}
	lock_release(&c->slot_lock);
	return n == FIRE_MAX;
}

uint64_t timers_run(struct cpu *c, uint64_t now)
{
	uint64_t slot = slot_number(now), next = c->slot_end;

	if (slot - c->wheel_done >= WHEEL)
		c->wheel_done = slot - WHEEL + 1;
	for (; c->wheel_done < slot; c->wheel_done++)
		if (bucket_run(c, c->wheel_done, now))
			return now;
	if (bucket_run(c, slot, now))
		return now;
	lock_take(&c->slot_lock);
	for (struct timer *t = c->wheel[slot % WHEEL]; t; t = t->next)
		next = min_u64(next, t->tsc);
	lock_release(&c->slot_lock);
	return max_u64(next, now);
}
