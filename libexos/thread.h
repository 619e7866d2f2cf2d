/* SPDX-License-Identifier: MIT */
/*
 * thread.h - a thread, and moving it between the lists; all with switching off.
 */
#ifndef EXOS_THREAD_PRIVATE_H
#define EXOS_THREAD_PRIVATE_H

#include <exo/env.h>
#include <exos/pager.h>
#include <exos/thread.h>

enum thread_state {
	THREAD_READY,           /* in the ready queue */
	THREAD_RUNNING,
	THREAD_WAITING,         /* for a queue, an event, a deadline, or another's end */
	THREAD_ENDED,           /* its stack and struct are the joiner's */
};

struct exos_thread {
	struct exo_context context;     /* while it does not run */
	struct exos_thread *next;       /* in a queue */
	struct exos_thread_queue *queue;        /* the wait queue it is in, or NULL */
	struct exos_thread *sleep_next; /* among the sleepers */
	bool sleeping;
	bool woken;                     /* by a signal, not by the deadline */
	enum thread_state state;
	uint32_t depth;                 /* switch_depth while it does not run */
	uint32_t entry;                 /* event it sleeps for, or 0 */
	uint64_t deadline;              /* time stamp it sleeps until, or 0 */
	struct exos_thread *joiner;
	exos_thread_main *start;
	void *argument;
	int result;
	struct exos_region stack;
};

void thread_queue_add(struct exos_thread_queue *queue, struct exos_thread *thread);
/* false: it was not in it. */
bool thread_queue_remove(struct exos_thread_queue *queue, struct exos_thread *thread);

void thread_ready(struct exos_thread *thread);
/* Enter among the sleepers; take out of them and make ready. */
void thread_sleep(struct exos_thread *thread);
void thread_wake(struct exos_thread *thread);

/* Run another; returns when the caller's thread, put in some list before, is resumed. */
void thread_switch(void);

#endif
