/* SPDX-License-Identifier: MIT */
/*
 * sched.h - putting environments on CPUs, in the order that the slice vectors say.
 *
 * The only policy: the environment named by the present slot runs; if it cannot, the next in the
 * vector that can; else the CPU sleeps.
 */
#ifndef EXO_SCHED_H
#define EXO_SCHED_H

#include <stdbool.h>
#include <stdint.h>

struct env;
struct cpu;
struct regs;

/* Choose and run; the present environment, if any, has been left. */
_Noreturn void schedule(void);
_Noreturn void schedule_here(void);      /* entry.S goes on here, on an empty stack */
/* The same, but begin behind the present slot: its owner gives the rest away. */
_Noreturn void schedule_next(void);

/* Run this environment, whose state was just made RUNNING by us, on this CPU. */
_Noreturn void env_run(struct env *e);

/* The environment that runs when `e` is to run: the innermost callee. */
struct env *chain_top(struct env *e);

/* The innermost environment of a chain of gate calls. */
struct env *callee_last(struct env *e);

/* Registers of the present environment leave the CPU for another's. */
void env_leave(struct cpu *c);

/* A blocked environment may run again: on the CPUs that are to know. */
void env_wake(struct env *e);
/* One that is in env_wait_until may, whatever its predicate says. */
void env_wake_asleep(struct env *e);
/* Tell the CPUs that may run it now. */
void env_kick(struct env *e);

/* Leave the present environment, ready to run again, for one that is ours to run. */
_Noreturn void env_change(struct cpu *c, struct env *e, struct env *to);

/*
 * The first environment in the vector from the present slot on that is ours to run, now RUNNING,
 * or the present one if its turn comes first; NULL if none can run.
 */
struct env *sched_pick(struct cpu *c);

/* See to what is due, and set the CPU's timer for what is due next; the same without the former. */
void sched_arm(struct cpu *c, uint64_t now);
void sched_arm_only(struct cpu *c);

/* Timers: a wait's deadline, an alarm. */
void env_wait_over(struct env *e);
void env_alarm_due(struct env *e);

/* An interrupt came from user mode: end of slot, alarm, event, stop.  May not return. */
void sched_interrupt(struct regs *r);
/* A call that does not switch made somebody ready (from entry.S). */
_Noreturn void sched_after_call(struct env *e);
/* A call that goes on without choosing anew, though it made somebody ready who may come first. */
void sched_soon(struct cpu *c);
/* Before a call returns to a caller that may have stopped itself. */
void sched_check(void);

/* Stop the present environment, whose registers are lost or saved, and run another. */
_Noreturn void env_stop_self(uint32_t reason);

/* Is the slot over, and its end not put off by the present environment? */
bool slot_over(struct cpu *c, struct env *e);

#endif
