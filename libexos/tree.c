/* SPDX-License-Identifier: MIT */
/*
 * tree.c - regions in order of address, as a treap: a search tree by address that is also a heap
 * by a random-looking rank, so that it is shallow whatever the order of entering (Aragon and
 * Seidel, 1989).
 *
 * Invariant: addresses grow from left to right, ranks never grow from parent to child.
 */
#include "tree.h"

#include <stddef.h>

/* The rank comes from the address: no state, and the same tree for the same regions. */
static uint64_t rank(const struct exos_region *r)
{
	uint64_t x = (r->lo >> EXO_PAGE_SHIFT) * 0x9e3779b97f4a7c15ul;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ul;
	return x ^ x >> 32;
}

struct exos_region *tree_find(struct exos_region *root, uint64_t va)
{
	while (root && (va < root->lo || va >= root->hi))
		root = va < root->lo ? root->left : root->right;
	return root;
}

struct exos_region *tree_next(struct exos_region *root, uint64_t va)
{
	struct exos_region *best = NULL;

	while (root) {
		if (root->hi > va) {
			best = root;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return best;
}

/* Part a tree at an address: what lies below it to *below, the rest to *above. */
static void split(struct exos_region *root, uint64_t va, struct exos_region **below,
		  struct exos_region **above)
{
	while (root) {
		if (root->lo < va) {
			*below = root;
			below = &root->right;
			root = *below;
		} else {
			*above = root;
			above = &root->left;
			root = *above;
		}
	}
	*below = NULL;
	*above = NULL;
}

/* Join two trees, all of a below all of b, at *place. */
static void merge(struct exos_region **place, struct exos_region *a, struct exos_region *b)
{
	while (a && b) {
		if (rank(a) > rank(b)) {
			*place = a;
			place = &a->right;
			a = *place;
		} else {
			*place = b;
			place = &b->left;
			b = *place;
		}
	}
	*place = a ? a : b;
}

void tree_insert(struct exos_region **root, struct exos_region *region)
{
	while (*root && rank(*root) >= rank(region))
		root = region->lo < (*root)->lo ? &(*root)->left : &(*root)->right;
	split(*root, region->lo, &region->left, &region->right);
	*root = region;
}

void tree_remove(struct exos_region **root, struct exos_region *region)
{
	while (*root && *root != region)
		root = region->lo < (*root)->lo ? &(*root)->left : &(*root)->right;
	if (*root)
		merge(root, region->left, region->right);
	region->left = region->right = NULL;
}
