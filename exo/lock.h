/* SPDX-License-Identifier: MIT */
/*
 * lock.h - spin locks, and the order they are taken in.
 *
 * Order: tree_lock (claims, owner map, page tables, bindings), then a disk's lock, then a CPU's
 * slot lock.  Interrupts are off in the kernel.  Every loop that waits for another CPU answers
 * its TLB requests meanwhile (spin_wait), so waiting with a lock held cannot deadlock.
 */
#ifndef EXO_LOCK_H
#define EXO_LOCK_H

#include <stdint.h>

struct lock {
	uint32_t taken;
};

/* One turn of a loop that waits for another CPU. */
void spin_wait(void);

static inline void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED))
			spin_wait();
}

static inline void lock_release(struct lock *l)
{
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

extern struct lock tree_lock;

#endif
