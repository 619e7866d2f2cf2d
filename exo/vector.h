/* SPDX-License-Identifier: MIT */
/*
 * vector.h - vector (x87, SSE, AVX) state: saved only when another environment uses it or runs.
 */
#ifndef EXO_VECTOR_H
#define EXO_VECTOR_H

#include <stdbool.h>

#include "x86/insn.h"

struct cpu;

/* Find out what there is; once on the first CPU, then switch it on, on each. */
void vectors_probe(void);
void vectors_start(void);

/* Ready an environment's frame for its first save; what else is in it is not read before that. */
void vectors_make(void *area);

/* Save the registers into their owner's frame; they have no owner then. */
void vectors_save(struct cpu *c);

/* The present environment used them while out of reach: they become its own. */
void vectors_load(struct cpu *c);

extern bool has_xsave;                  /* [I] */
extern uint64_t vector_states;          /* [I] that are switched on, where there is XSAVE */

/* After a guest: vector states that it switched on or off are as they were. */
static inline void vectors_restore(void)
{
	if (has_xsave && xgetbv(0) != vector_states)
		xsetbv(0, vector_states);
}

/* Put them out of reach unless they belong to the present environment. */
void vectors_fence(struct cpu *c);

#endif
