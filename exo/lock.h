/* SPDX-License-Identifier: MIT */
/*
 * lock.h - spin locks, and the order they are taken in.
 *
 * Order: tree_lock (claims, owner map, page tables, bindings), then a disk's or a NIC's lock, then
 * a CPU's slot lock.  Interrupts are off in the kernel.  Every loop that waits for another CPU
 * answers its TLB requests meanwhile (spin_wait), so waiting with a lock held cannot deadlock.
 */
#ifndef EXO_LOCK_H
#define EXO_LOCK_H

#include <stdint.h>

struct lock {                   /* [a] tickets, so that nobody waits for ever */
	uint32_t next, now;
};

/* One turn of a loop that waits for another CPU. */
void spin_wait(void);

/*
 * Let waiting interrupts in, for an instant, so that long work does not keep them off.  Called
 * between steps, with no lock held but tree_lock, which handlers never take; what they do touch
 * (rings, events, states of environments) may be different afterwards, as if another CPU had run
 * them.  Nothing else runs: the present environment goes on.
 */
void interrupts_window(void);

/* The same after every `most` steps that were counted into *steps. */
static inline void window_every(unsigned *steps, unsigned more, unsigned most)
{
	*steps += more;
	if (*steps < most)
		return;
	*steps = 0;
	interrupts_window();
}

static inline void lock_take(struct lock *l)
{
	uint32_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->now, __ATOMIC_ACQUIRE) != mine)
		spin_wait();
}

static inline void lock_release(struct lock *l)
{
	__atomic_store_n(&l->now, l->now + 1, __ATOMIC_RELEASE);
}

extern struct lock tree_lock;

#endif
