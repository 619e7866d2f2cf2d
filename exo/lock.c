/* SPDX-License-Identifier: MIT */
/*
 * lock.c - waiting for a lock; tree_lock as a whole.
 *
 * Invariant: only the holder of the ticket that is `now` writes `insists`, which is 0 again as soon
 * as it has the lock.  Who waits waits at most the lock's patience and one holder for each CPU
 * before it in line.
 */
#include "hold.h"

void lock_wait(struct lock *l)
{
	uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	uint16_t expected = LOCK_FREE;

	while (__atomic_load_n(&l->now, __ATOMIC_ACQUIRE) != mine)
		spin_wait();
	for (unsigned turns = 0; !lock_try(l, expected); turns++) {
		if (turns == l->patience) {
			__atomic_store_n(&l->insists, 1, __ATOMIC_RELAXED);
			expected = LOCK_INSISTS;
		}
		spin_wait();
	}
	__atomic_store_n(&l->now, (uint16_t)(mine + 1), __ATOMIC_RELEASE);
}

void tree_take_rest(void)
{
	for (unsigned i = 1; i < cpu_count; i++)
		lock_take(&cpus[i]->tree);
}

void tree_release_rest(void)
{
	for (unsigned i = cpu_count; --i;)
		lock_release(&cpus[i]->tree);
}
