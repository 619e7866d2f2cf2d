/* SPDX-License-Identifier: MIT */
/*
 * turns.h - how x86/handover.S and x86/notify.S go on where a handover is not plain after all.
 */
#ifndef EXO_TURNS_H
#define EXO_TURNS_H

#include <stdint.h>

struct env;

/* A yield of e to one that is RUNNING for it already. */
_Noreturn void yield_to(struct env *e, struct env *to);

/* Of a notify that counted: put the entry on the ring, while others do so too. */
void notify_put(struct env *to, uint64_t entry);
/* The same, wake it, and let e wait. */
int64_t notify_then_wait(struct env *e, struct env *to, uint64_t entry, uint64_t seen);
/* Events came for e while it blocked. */
void notify_waited(struct env *e);
/* The entry is put, and `to` is RUNNING for e, which waits. */
_Noreturn void notify_wait_to(struct env *e, struct env *to, uint64_t seen);

#endif
