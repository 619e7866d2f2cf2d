/* SPDX-License-Identifier: MIT */
/*
 * timer.h - deadlines of environments, and of the kernel's own work, in a heap for each CPU.
 */
#ifndef EXO_TIMER_H
#define EXO_TIMER_H

#include <stdint.h>

struct env;
struct cpu;
struct timer;

enum timer_kind { TIMER_WAIT, TIMER_ALARM, TIMER_NIC, TIMER_DISK };

/* Set a deadline (time stamp) on this CPU, instead of an earlier one. */
void timer_set(struct timer *t, uint64_t tsc);
void timer_clear(struct timer *t);

/*
 * Let what is due on this CPU happen, or a good part of it.  Returns the time stamp of the next
 * deadline within the present slot, `now` if one is due already, or the end of the slot.
 */
uint64_t timers_run(struct cpu *c, uint64_t now);

/* The time stamp of the next deadline, due or not, or the end of the slot if that is earlier. */
uint64_t timers_next(struct cpu *c);

/* Read alarm_tsc of an environment's page and set its alarm by it. */
void alarm_read(struct env *e);

#endif
