/* SPDX-License-Identifier: MIT */
/*
 * thread.h - threads of one environment, switched by the library on the slice upcall.
 *
 * A program without a call of exos_thread_create has one thread and no slice upcall.  From the
 * first on, each slice that begins after an involuntary end runs the next thread.  Vector
 * registers are not kept over a switch: threads use general registers only, as all code built
 * with the project's flags does.
 *
 * Invariant: a thread is in exactly one of: running, the ready queue, a wait queue, ended.
 */
#ifndef EXOS_THREAD_H
#define EXOS_THREAD_H

#include <exos/pager.h>
#include <stdbool.h>
#include <stdint.h>

#define EXOS_THREAD_STACK (256u * 1024u)        /* bytes of demand-zero stack, by default */

struct exos_thread;
typedef int exos_thread_main(void *argument);

/* Start a thread: NULL if there is no memory. stack_bytes 0: the default. */
struct exos_thread *exos_thread_create(exos_thread_main *start, void *argument,
				       uint64_t stack_bytes);

/* Wait for its end and free it; its result.  A thread is joined exactly once. */
int exos_thread_join(struct exos_thread *thread);

/* Let another thread run; if there is none, the next environment. */
void exos_thread_yield(void);

/* End the calling thread; of the first thread: the program. */
_Noreturn void exos_thread_exit(int result);

struct exos_thread *exos_thread_self(void);

/* A queue of waiting threads. */
struct exos_thread_queue {
	struct exos_thread *first, *last;
};

struct exos_mutex {
	struct exos_thread *owner;
	struct exos_thread_queue waiting;
};
void exos_mutex_lock(struct exos_mutex *mutex);
bool exos_mutex_try(struct exos_mutex *mutex);
void exos_mutex_unlock(struct exos_mutex *mutex);

struct exos_condition {
	struct exos_thread_queue waiting;
};
/* Unlock, wait, lock again.  false: the deadline (TSC, 0: none) passed. */
bool exos_condition_wait(struct exos_condition *condition, struct exos_mutex *mutex,
			 uint64_t deadline_tsc);
void exos_condition_signal(struct exos_condition *condition);
void exos_condition_broadcast(struct exos_condition *condition);

/* Which of the ready threads runs next; called with switching off. Default: in order. */
typedef struct exos_thread *exos_thread_pick(struct exos_thread_queue *ready);
void exos_thread_pick_set(exos_thread_pick *pick);

#endif
