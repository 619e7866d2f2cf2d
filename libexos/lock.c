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
#include <exos/lock.h>

static struct exos_lock core_lock;
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

void exos_core_take(void)
{
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0);

	if (!exos_page()->upcalls_off) {
		(void)*(volatile char *)(stack - EXO_PAGE_SIZE);
		(void)*(volatile char *)(stack - 2 * EXO_PAGE_SIZE);
	}
	exos_switch_off();
	lock_spin(&core_lock);
}

void exos_core_drop(void)
{
	exos_lock_drop(&core_lock);
}
