/* SPDX-License-Identifier: MIT */
/*
 * tlb.h - cached translations: this CPU's end at once, other CPUs' before the call returns.
 *
 * A frame changes hands only after tlb_flush_others has returned, with tree_lock held all the time,
 * or a share of it: it takes the whole to give frames away.
 */
#ifndef EXO_TLB_H
#define EXO_TLB_H

#include <stdbool.h>
#include <stdint.h>

/*
 * `pages` entries of `bytes` each at va changed in the space.  lost: rights were taken away, so
 * other CPUs must be asked too.
 */
void tlb_note(uint64_t space, uint64_t va, uint64_t pages, uint64_t bytes, bool lost);

/*
 * One of many entries that end in a call: this CPU forgets them one by one at first, and if there
 * are many all at once when the call is over.
 */
void tlb_note_end(uint64_t space, uint64_t va, uint64_t bytes);

/* Everything of the space may have changed. */
void tlb_note_all(uint64_t space);

/* Ask the other CPUs for what was noted; returns when every one concerned has answered. */
void tlb_flush_others(void);
/* The same if anything was. */
void tlb_flush_noted(void);

/* Ask a CPU to forget all that it has cached; wait until it has done what it was asked so far. */
struct cpu;
void tlb_ask(struct cpu *c);
void tlb_await(const struct cpu *c);

/* The kernel's own half lost something: no CPU has it cached when this returns. */
void tlb_flush_kernel(void);

/*
 * Cached translations of all spaces of guests, and of devices, end before these return; called by
 * tlb_flush_others when such a space lost rights.
 */
void guests_flush(void);
void devices_flush(void);

#endif
