/* SPDX-License-Identifier: MIT */
/*
 * lock_test.c - locks of the kernel: one holder at a time, by many threads; and that the first in
 * line is let in before others once it insists.
 */
// sources: exo/lock.c
// includes: exo
// flags: -pthread
#include <pthread.h>
#include <sched.h>

#include "lock.h"
#include "test.h"
#include "tree_fake.h"

#define THREADS 6u
#define ROUNDS  40000u

static struct lock lock;
static unsigned long sum, inside;
static unsigned turns, let_in;          /* of spin_wait; times that another got the lock */
static bool others_come;                /* one takes the lock whenever it is let in */

void spin_wait(void)
{
	turns++;
	if (!others_come) {
		sched_yield();
		return;
	}
	lock_release(&lock);
	if (lock_try(&lock, LOCK_FREE))
		let_in++;
}

static void *many(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		lock_take(&lock);
		if (__atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED))
			test_fail("two hold the lock");
		sum++;
		__atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
		lock_release(&lock);
	}
	return argument;
}

static void many_take(uint16_t patience)
{
	pthread_t thread[THREADS];

	lock = (struct lock){ .patience = patience };
	others_come = false;
	sum = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, many, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	CHECK_EQ(sum, THREADS * ROUNDS);
	CHECK_EQ(lock.word, LOCK_FREE);
	CHECK_EQ(lock.next, lock.now);
}

TEST(lock_has_one_holder)
{
	many_take(0);
	many_take(32);
}

/* How often others are let in, who take the lock whenever they may, while one waits for it. */
static unsigned others_before(uint16_t patience)
{
	lock = (struct lock){ .held = 1, .patience = patience };
	others_come = true;
	turns = let_in = 0;
	lock_take(&lock);
	CHECK_EQ(turns, let_in + 1);
	CHECK_EQ(lock.word, LOCK_HELD);
	CHECK_EQ(lock.now, lock.next);
	lock_release(&lock);
	CHECK(lock_try(&lock, LOCK_FREE));
	return let_in;
}

/* Who waits insists, and then gets it as soon as it is free. */
TEST(lock_lets_the_first_in_line_in)
{
	CHECK_EQ(others_before(0), 0);
	CHECK_EQ(others_before(32), 32);
}

TEST_MAIN
