/* SPDX-License-Identifier: MIT */
/*
 * nic_claim.h - NIC claims and the filters that hold their patterns.
 *
 * Invariant: the claims that name one filter are a chain in the derivation tree; its deepest, the
 * filter's holder, is the one whose rings get the packets and the only one that may be narrowed or
 * given.  A filter hangs in the classifier exactly while a claim names it: a claim that ends gives
 * its child on the same filter to its heir in the step in which it goes.  tree_lock held.
 */
#ifndef EXO_NIC_CLAIM_H
#define EXO_NIC_CLAIM_H

#include "claim.h"

/* May the whole claim be given on, or narrowed by `added` patterns?  SPLIT, SHARED. */
int nic_give_check(const struct exo_cap *parent);

/* A claim was derived with the patterns of its parent: it is their holder now. */
void nic_given(struct exo_cap *child);

/* Do both name the same filter?  Of a claim's children at most one does. */
static inline bool nic_filter_shared(const struct exo_cap *a, const struct exo_cap *b)
{
	return a->kind == EXO_KIND_NIC && b->kind == EXO_KIND_NIC && a->lo == b->lo;
}

/* The claim is about to go; its bindings and children are gone. */
void nic_forget(struct exo_cap *c);

/* `kid`, a child of `c`, will be a child of `heir`, since c goes: its filter moves up as well. */
void nic_inherit(struct exo_cap *kid, const struct exo_cap *c, const struct exo_cap *heir);

/* A bounded piece of ending every claim that names the filter: 0 or EXO_MORE. */
int filter_end(uint64_t pfn);

/* The root claim of NIC `unit` was made (boot only). */
void nic_root(struct exo_cap *root);

#endif
