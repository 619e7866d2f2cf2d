/* SPDX-License-Identifier: MIT */
/*
 * timer.c - deadlines of environments, and of the kernel's own work, in a heap for each CPU.
 *
 * Invariant: a deadline that is set is in the heap of one CPU, where no deadline below another is
 * earlier; `link` is the place that names it.  There may be any number, and who sets them chooses
 * when they are due and in which order they come, but not the way that one takes down the heap:
 * that is chosen by lot at each step, which makes it as long as the logarithm of their number
 * whatever the heap looks like (Gambin, Malinowski: Randomized Meldable Priority Queues).
 */
#include "timer.h"

#include <base/util.h>

#include "cpu.h"
#include "dev/disk.h"
#include "dev/nic.h"
#include "kernel.h"
#include "sched.h"

enum {
	FIRE_WORK = 32,         /* alarms and ends of waits that are seen to at a time, */
	WORK_DEVICE = 32,       /* what a device's work is counted as, */
	WORK_CALL = 8,          /* and an alarm of one in a gate call, maybe of many others */
};

/* One step of Marsaglia's xorshift; the lot is a bit of it. */
static unsigned lot_draw(struct cpu *c)
{
	c->lot ^= c->lot << 13;
	c->lot ^= c->lot >> 7;
	c->lot ^= c->lot << 17;
	return c->lot >> 63;
}

/* Two heaps become one, at *at. */
static void heaps_meld(struct cpu *c, struct timer **at, struct timer *a, struct timer *b)
{
	while (a && b) {
		struct timer *first = b->tsc < a->tsc ? b : a;

		b = first == a ? b : a;
		*at = first;
		first->link = at;
		at = &first->kid[lot_draw(c)];
		a = *at;
	}
	a = a ? a : b;
	*at = a;
	if (a)
		a->link = at;
}

/* The CPU's lock is held. */
static void timer_unlink(struct cpu *c, struct timer *t)
{
	if (!t->link)
		return;
	heaps_meld(c, t->link, t->kid[0], t->kid[1]);
	t->kid[0] = t->kid[1] = NULL;
	t->link = NULL;
}

void timer_clear(struct timer *t)
{
	struct cpu *c = cpus[t->cpu];

	if (!t->link)
		return;
	lock_take(&c->slot_lock);
	timer_unlink(c, t);
	lock_release(&c->slot_lock);
	t->tsc = 0;
}

void timer_set(struct timer *t, uint64_t tsc)
{
	struct cpu *c = this_cpu();

	timer_clear(t);
	t->tsc = tsc;
	t->cpu = c->number;
	lock_take(&c->slot_lock);
	c->lot += read_tsc() | 1;
	heaps_meld(c, &c->timers, c->timers, t);
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

/* How much work it is: see FIRE_WORK. */
static unsigned timer_work(const struct timer *t)
{
	if (t->kind == TIMER_NIC || t->kind == TIMER_DISK)
		return WORK_DEVICE;
	return t->kind == TIMER_ALARM && container_of(t, struct env, alarm)->callee ? WORK_CALL : 1;
}

/*
 * The first, if it is due and there is room for its work, is not set any more; else NULL.  *next:
 * when the first is due that was there.
 */
static struct timer *timer_take(struct cpu *c, uint64_t now, unsigned *room, uint64_t *next)
{
	struct timer *t;
	unsigned work;

	lock_take(&c->slot_lock);
	t = c->timers;
	*next = t ? t->tsc : UINT64_MAX;
	work = t ? timer_work(t) : 0;   /* read once: a call may end meanwhile */
	if (t && (t->tsc > now || work > *room))
		t = NULL;
	if (t) {
		timer_unlink(c, t);
		*room -= work;
	}
	lock_release(&c->slot_lock);
	return t;
}

uint64_t timers_run(struct cpu *c, uint64_t now)
{
	uint64_t next;
	unsigned room = FIRE_WORK;
	struct timer *t;

	while ((t = timer_take(c, now, &room, &next)))
		timer_fire(t);
	return max_u64(min_u64(next, c->slot_end), now);
}

uint64_t timers_next(struct cpu *c)
{
	uint64_t next;

	lock_take(&c->slot_lock);
	next = c->timers ? c->timers->tsc : UINT64_MAX;
	lock_release(&c->slot_lock);
	return min_u64(next, c->slot_end);
}
