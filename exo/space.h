/* SPDX-License-Identifier: MIT */
/*
 * space.h - the batched call that changes page-table entries.
 */
#ifndef EXO_SPACE_INTERNAL_H
#define EXO_SPACE_INTERNAL_H

#include <exo/cap.h>
#include <exo/space.h>
#include <stdbool.h>

struct env;

/*
 * Do one entry of a batch on a space, by claims of `e`'s table: 0 or an error, which changed
 * nothing.  All of tree_lock is held if `whole`, else a share; SPACE_WHOLE: that is not enough for
 * this entry, and nothing was changed.  What it changed is noted for tlb_flush.
 */
int space_apply(struct env *e, uint64_t space, const struct exo_map_op *op, bool whole);
#define SPACE_WHOLE 1

#endif
