/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - which parts of a BLOCK claim were given away.
 *
 * Invariant: the pieces of a BLOCK claim are its children that are no shares, while it is not being
 * revoked; they never overlap.  tree_lock held.
 */
#ifndef EXO_PIECES_H
#define EXO_PIECES_H

#include <exo/cap.h>
#include <stdbool.h>

/* Does no piece of `parent` touch [lo, hi)?  At most 256 steps, however many there are. */
bool pieces_clear(const struct exo_cap *parent, uint64_t lo, uint64_t hi);

/* `c` is a piece of `parent` from now on; it is none any more. */
void piece_add(struct exo_cap *parent, struct exo_cap *c);
void piece_remove(struct exo_cap *parent, struct exo_cap *c);

/* The lowest piece of a claim, or NULL. */
struct exo_cap *piece_first(const struct exo_cap *parent);

#endif
