/* SPDX-License-Identifier: MIT */
/*
 * lock.h - spin locks, and the order they are taken in.
 *
 * Order: tree_lock (claims, owner map, page tables, bindings: hold.h), a page table's, then a
 * disk's or a NIC's lock, then a CPU's slot lock.  Interrupts are off in the kernel.  Every loop
 * that waits for another CPU answers its TLB requests meanwhile (spin_wait), so waiting with a lock
 * held cannot deadlock.
 */
#ifndef EXO_LOCK_H
#define EXO_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Those who wait for a lock stand in line by tickets, and the first of them insists: then nobody is
 * let in before it, so that nobody waits for ever.  With patience it insists only after some turns,
 * and whoever comes when the lock is free takes it: that is for locks that are held for moments,
 * where a CPU that the host of a virtual machine does not run just then would be waited for by all.
 * Without patience all get the lock equally often, which shares of a device hang on.
 */
struct lock {
	union {
		struct {
			uint8_t held;           /* [a] 0 or 1 */
			uint8_t insists;        /* [a] 0 or 1, written by the first in line */
		};
		uint16_t word;                  /* both */
	};
	uint16_t next, now;                     /* [a] tickets: of the next to come, of the first */
	uint16_t patience;                      /* [I] turns of spin_wait */
};

#define LOCK_FREE    0x0000u            /* values of word */
#define LOCK_HELD    0x0001u
#define LOCK_INSISTS 0x0100u            /* free, but for the first in line */

/* One turn of a loop that waits for another CPU. */
void spin_wait(void);

/*
 * Let waiting interrupts in, for an instant, so that long work does not keep them off.  Called
 * between steps, with no lock held but tree_lock or a page table's, which handlers never take; what
 * they do touch (rings, events, states of environments) may be different afterwards, as if another
 * CPU had run them.  Nothing else runs: the present environment goes on.
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

/* Hold the lock if its word is as expected: then nobody insists any more. */
static inline bool lock_try(struct lock *l, uint16_t expected)
{
	return __atomic_compare_exchange_n(&l->word, &expected, LOCK_HELD, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* Stand in line for a lock, and take it (lock.c). */
void lock_wait(struct lock *l);

static inline void lock_take(struct lock *l)
{
	if (__builtin_expect(!lock_try(l, LOCK_FREE), 0))
		lock_wait(l);
}

static inline void lock_release(struct lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

#endif
