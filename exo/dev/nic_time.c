/* SPDX-License-Identifier: MIT */
/*
 * nic_time.c - when the rest of a NIC's work is done: programs get their time in between.
 *
 * Invariant: a queue's timer is set with the NIC's lock held, on the CPU that does the work; when
 * it is due the queue is looked at as after an interrupt.  A program that is interrupted for a part
 * of the work gets as much time, before the next part, as that took.
 */
#include "dev/nic_time.h"

#include <base/util.h>

#include "cpu.h"
#include "kernel.h"
#include "sched.h"
#include "timer.h"

#define LATE_PART 500u          /* of a second: nobody waits for it, and idle CPUs should sleep */

unsigned nic_cpu(void)
{
	return this_cpu()->number;
}

unsigned nic_cpus(void)
{
	return cpu_count;
}

void nic_time_soon(struct nic_queue *q, uint64_t began)
{
	uint64_t now = read_tsc(), when = this_cpu()->env ? now + (now - began) : now;

	/* Not later than it was to be: others who send must not put off what was received. */
	if (!q->timer.link || q->timer.tsc > when)
		timer_set(&q->timer, when);
}

/* The slot's end, or any deadline before it, finds the timer: nothing has to be armed. */
void nic_time_late(struct nic_queue *q)
{
	if (!q->timer.link)
		timer_set(&q->timer, read_tsc() + machine->tsc_hz / LATE_PART);
}

void nic_time_arm(void)
{
	if (this_cpu()->env)
		sched_arm_only(this_cpu());
}

void nic_timer(struct timer *t)
{
	struct nic_queue *q = container_of(t, struct nic_queue, timer);

	nic_work(q->nic, (unsigned)(q - q->nic->queue), true);
}
