/* SPDX-License-Identifier: MIT */
/*
 * lock.h - short exclusion between threads and between environments that share a space.
 *
 * While a lock is held the thread is not exchanged for another; a second environment that waits
 * lends its slice.  For waits that can be long use struct exos_mutex of thread.h.
 *
 * Order: heap, then core.  The core lock is held inside exos_frame_*, exos_slot_*, exos_space_*
 * and exos_region_*: nothing under it may fault.
 */
#ifndef EXOS_LOCK_H
#define EXOS_LOCK_H

#include <stdint.h>

struct exos_lock {
	uint32_t taken;
};
#define EXOS_LOCK_INIT { 0 }

void exos_lock_take(struct exos_lock *lock);
void exos_lock_drop(struct exos_lock *lock);

/* No thread switch between these two; they nest. */
void exos_switch_off(void);
void exos_switch_on(void);

#endif
