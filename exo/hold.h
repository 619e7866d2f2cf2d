/* SPDX-License-Identifier: MIT */
/*
 * hold.h - tree_lock: a lock for each CPU, so that changes of mappings do not hinder each other.
 *
 * Who changes claims, tables or bindings holds the whole: the lock of every CPU, taken in their
 * order.  Who only relies on them holds a share: its own CPU's.  Under a share a CPU may change the
 * leaf entries of one page table, with that table's lock (table.h), map counts and pins of frames,
 * atomically, and lists of mappings, with the list held.  Neither lets go before other CPUs have
 * forgotten what was taken away.  A share does not become the whole: it is given up first, and what
 * was found by it is looked up anew.
 */
#ifndef EXO_HOLD_H
#define EXO_HOLD_H

#include "cpu.h"

/* The locks of all CPUs but the first. */
void tree_take_rest(void);
void tree_release_rest(void);

static inline void tree_take(void)
{
	lock_take(&cpus[0]->tree);
	if (cpu_count > 1)
		tree_take_rest();
}

static inline void tree_release(void)
{
	if (cpu_count > 1)
		tree_release_rest();
	lock_release(&cpus[0]->tree);
}

static inline void tree_share(void)
{
	lock_take(&this_cpu()->tree);
}

static inline void tree_unshare(void)
{
	lock_release(&this_cpu()->tree);
}

#endif
