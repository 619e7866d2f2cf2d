/* SPDX-License-Identifier: MIT */
/*
 * event.h - entries of the environment's event ring: who has them, taking, waiting, handlers.
 *
 * Invariant: an entry handed out is one source's; entry 0 is the alarm's and never handed out.
 */
#ifndef EXOS_EVENT_H
#define EXOS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A free entry, 1 to 255, or 0 if all are taken.  Posts left over from a former use are cleared.
 */
uint32_t exos_event_alloc(void);
void exos_event_free(uint32_t entry);

/* Posts since the last take; 0: none. */
uint32_t exos_event_take(uint32_t entry);

/* Posts waiting, not taken. */
uint32_t exos_event_pending(uint32_t entry);

/*
 * Wait until `entry` was posted and take it: the count, or 0 when the deadline (TSC, 0: none) has
 * passed. Handlers of other entries and other threads run meanwhile.
 */
uint32_t exos_event_wait(uint32_t entry, uint64_t deadline_tsc);

/* Called by exos_event_dispatch with the number of posts taken. NULL: none. */
typedef void exos_event_handler(uint32_t entry, uint32_t posts, void *argument);
void exos_event_handle(uint32_t entry, exos_event_handler *handler, void *argument);

/* Run the handlers of all posted entries that have one; how many ran. Does not wait. */
unsigned exos_event_dispatch(void);

/*
 * Dispatch; if nothing ran, wait once for anything to be posted or the deadline. Servers loop on
 * it.
 */
unsigned exos_event_run(uint64_t deadline_tsc);

#endif
