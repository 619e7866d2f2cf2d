/* SPDX-License-Identifier: MIT */
/*
 * lock.c - short locks, the core lock, and keeping the thread.
 *
 * Invariant: while switch_depth of an environment is not 0 the slice handler of thread.c leaves
 * the running thread in place, so that whoever holds a lock of this environment is the thread
 * that runs.
 */
#include "core.h"

#include <exos/call.h>

struct exos_lock core_lock;
void (*exos_switch_hook)(void);

void exos_switch_off(void)
{
	exos_local()->switch_depth++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void exos_switch_on(void)
{
	struct exos_local *local = exos_local();

	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	local->switch_depth--;
	if (local->switch_depth == 0 && local->switch_owed && exos_switch_hook) {
		local->switch_owed = 0;
		exos_switch_hook();
	}
}

/* Only another environment can hold it for more than a moment: lend it the slice. */
static void lock_spin(struct exos_lock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE)) {
		insn_pause();
		exo_env_yield(0);
	}
}

void exos_lock_take(struct exos_lock *lock)
{
	exos_switch_off();
	lock_spin(lock);
}

void exos_lock_drop(struct exos_lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
	exos_switch_on();
}

void core_lock_spin(void)
{
	lock_spin(&core_lock);
}
