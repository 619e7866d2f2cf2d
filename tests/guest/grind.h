/* SPDX-License-Identifier: MIT */
/*
 * grind.h - environments that make random calls, one after the other, until they are killed.
 */
#ifndef GUEST_GRIND_H
#define GUEST_GRIND_H

#include <stdbool.h>
#include <stdint.h>

#define GRINDERS 8u

/* Once before and after all others. */
bool grind_begin(void);
void grind_end(void);

/* Start grinder n (below GRINDERS) on a CPU by turns, with all it is given. */
bool grind_start(unsigned n, uint64_t seed);
/* Let it have the rest of the slice, if it can run here. */
void grind_yield(unsigned n);
/* Calls it made since. */
uint64_t grind_calls(unsigned n);
/* Disk requests that the kernel took from it since. */
uint64_t grind_requests(unsigned n);
/* Take all it has while it runs: what it holds before what it is made of, or the other way. */
void grind_kill(unsigned n, bool objects_first);

#endif
