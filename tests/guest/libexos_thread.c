/* SPDX-License-Identifier: MIT */
/*
 * libexos_thread.c - threads of one environment, and workers: environments of one program.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/heap.h>
#include <exos/start.h>
#include <exos/thread.h>
#include <exos/time.h>
#include <exos/worker.h>

#include "guest.h"

#define MS 1000000ull

static volatile uint64_t counter[4];
static volatile bool stop;

static int spin(void *argument)
{
	volatile uint64_t *n = argument;

	while (!stop)
		++*n;
	return (int)(n - counter);
}

/* None of them yields: only the end of a slice takes the CPU from one and gives it to the next. */
EXO_TEST(threads_are_preempted, LONG)
{
	struct exos_thread *t[3];

	for (int i = 0; i < 3; i++)
		must((t[i] = exos_thread_create(spin, (void *)&counter[i], 0)) != NULL);
	for (uint64_t end = exos_deadline(5000 * MS);
	     exos_tsc() < end && !(counter[0] && counter[1] && counter[2]);)
		counter[3]++;
	stop = true;
	for (int i = 0; i < 3; i++) {
		expect(counter[i] > 0);
		expect_eq(exos_thread_join(t[i]), i);
	}
}

static struct exos_mutex mutex;
static struct exos_condition condition;
static uint64_t shared, turns;

static int add(void *argument)
{
	for (unsigned n = 0; n < 500; n++) {
		uint64_t seen;

		exos_mutex_lock(&mutex);
		seen = shared;
		if (n % 7 == 0)
			exos_thread_yield();
		shared = seen + 1;
		exos_mutex_unlock(&mutex);
		if (n % 5 == 0)
			exos_thread_yield();
	}
	(void)argument;
	return 1;
}

EXO_TEST(a_mutex_lets_one_in, SHORT)
{
	struct exos_thread *t[4];
	int sum = 0;

	for (int i = 0; i < 4; i++)
		must((t[i] = exos_thread_create(add, NULL, 0)) != NULL);
	for (int i = 0; i < 4; i++)
		sum += exos_thread_join(t[i]);
	expect_eq(shared, 2000);
	expect_eq(sum, 4);
	expect(exos_mutex_try(&mutex));
	expect(!exos_mutex_try(&mutex));
	exos_mutex_unlock(&mutex);
}

/* Ping and pong: each waits until the number has its parity. */
static int take_turns(void *argument)
{
	uint64_t parity = (uint64_t)argument;

	exos_mutex_lock(&mutex);
	while (turns < 200) {
		if (turns % 2 != parity) {
			exos_condition_wait(&condition, &mutex, 0);
			continue;
		}
		turns++;
		exos_condition_broadcast(&condition);
	}
	exos_mutex_unlock(&mutex);
	return 0;
}

EXO_TEST(conditions_wake_who_waits, SHORT)
{
	struct exos_thread *a = exos_thread_create(take_turns, (void *)0, 0);
	struct exos_thread *b = exos_thread_create(take_turns, (void *)1, 0);
	uint64_t end;

	must(a && b);
	expect_eq(exos_thread_join(a), 0);
	expect_eq(exos_thread_join(b), 0);
	expect_eq(turns, 200);
	/* Nobody signals: the deadline ends it. */
	exos_mutex_lock(&mutex);
	end = exos_deadline(20 * MS);
	expect(!exos_condition_wait(&condition, &mutex, end));
	expect(exos_tsc() >= end);
	exos_mutex_unlock(&mutex);
}

static volatile uint64_t other_ran;

static int run_meanwhile(void *argument)
{
	exo_slot bell = *(exo_slot *)argument;

	for (int i = 0; i < 50; i++) {
		other_ran++;
		exos_thread_yield();
	}
	return (int)exo_env_notify(bell);
}

/* A thread that waits for an event does not keep the others from running. */
EXO_TEST(a_waiting_thread_lets_others_run, SHORT)
{
	uint32_t entry = exos_event_alloc();
	struct exos_thread *t;
	exo_slot bell;

	must_eq(exos_cap_doorbell(entry, &bell), 0);
	must((t = exos_thread_create(run_meanwhile, &bell, 0)) != NULL);
	expect_eq(exos_event_wait(entry, exos_deadline(5000 * MS)), 1);
	expect_eq(other_ran, 50);
	expect_eq(exos_thread_join(t), 0);
	expect_eq(exos_event_wait(entry, exos_deadline(10 * MS)), 0);
}

/* Stacks are given back: more threads than there is memory for at a time. */
EXO_TEST(joined_threads_leave_nothing, LONG)
{
	for (int i = 0; i < 300; i++) {
		struct exos_thread *t;

		stop = true;
		t = exos_thread_create(spin, (void *)&counter[i % 4], 0);
		must(t != NULL);
		must_eq(exos_thread_join(t), i % 4);
	}
	expect_eq(exos_heap_check(exos_heap_own()), 0);
}

static struct exos_worker worker;
static exo_slot worker_bell;
static volatile uint64_t worker_page;

static int work(void *argument)
{
	worker_page = (uint64_t)exos_page();
	exo_env_notify(*(exo_slot *)argument);
	return 77;
}

EXO_TEST(a_worker_runs_in_the_same_space, SHORT)
{
	uint32_t entry = exos_event_alloc();
	exo_slot bell;

	must_eq(exos_cap_doorbell(entry, &bell), 0);
	must_eq(exos_worker_make(&worker), 0);
	must_eq(exos_worker_give(&worker, bell, EXO_R_NOTIFY, &worker_bell), 0);
	must_eq(exos_worker_start(&worker, work, &worker_bell), 0);
	for (int i = 0; i < 100 && worker.page->stop_reason == EXO_STOP_RUNS; i++)
		exo_env_yield(worker.env);
	expect_eq(worker.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(worker.page->exit_code, 77);
	expect_eq(worker_page, (uint64_t)worker.page);
	expect_eq(exos_event_take(entry), 1);
	expect(exos_page() != worker.page);
	exos_worker_end(&worker);
	expect(!exos_cap_look(worker.env));
}
