/* SPDX-License-Identifier: MIT */
/*
 * lock.c - waiting for a lock.
 *
 * Invariant: only the holder of the ticket that is `now` writes `insists`, which is 0 again as soon
 * as it has the lock.  Of those who come later others are let in only as long as it does not
 * insist: who waits waits at most PATIENCE turns and one holder for each CPU before it in line.
 */
#include "lock.h"

#define PATIENCE 1000u          /* turns of spin_wait; some 50 microseconds */

void lock_wait(struct lock *l)
{
	uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	uint16_t expected = LOCK_FREE;

	while (__atomic_load_n(&l->now, __ATOMIC_ACQUIRE) != mine)
		spin_wait();
	for (unsigned turns = 0; !lock_try(l, expected); turns++) {
		if (turns == PATIENCE) {
			__atomic_store_n(&l->insists, 1, __ATOMIC_RELAXED);
			expected = LOCK_INSISTS;
		}
		spin_wait();
	}
	__atomic_store_n(&l->now, (uint16_t)(mine + 1), __ATOMIC_RELEASE);
}
