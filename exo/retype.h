/* SPDX-License-Identifier: MIT */
/*
 * retype.h - making kernel objects of frames that an application holds.
 */
#ifndef EXO_RETYPE_H
#define EXO_RETYPE_H

#include <exo/cap.h>

struct env;

/*
 * Make an object of `kind` from the frames at pfn of the FRAME claim src, its node in the empty
 * slot dst; arg as in syscalls.def.  0 or an error, which changed nothing.  tree_lock held.
 */
int retype(struct env *e, struct exo_cap *src, struct exo_cap *dst, uint64_t pfn,
	   enum exo_kind kind, uint64_t arg);

/*
 * Make a frame the first program's first table, whose own node is its slot 0 (boot only).  Whom it
 * serves is said when there is an environment.
 */
void retype_first_table(uint64_t pfn);

/* The same for the first program's other objects, as roots (boot only). */
void retype_root(struct exo_cap *dst, uint64_t pfn, enum exo_kind kind, uint64_t arg);

#endif
