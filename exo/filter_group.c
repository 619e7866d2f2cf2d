/* SPDX-License-Identifier: MIT */
/*
 * filter_group.c - adding and removing the children of a filter.
 *
 * Invariant: see filter_group.h.  Nothing here can fail: what patterns a filter may have was
 * decided before, in filter_check.c.
 */
#include "filter_group.h"

#include <base/string.h>

struct filter_key filter_key = { .mix = 0x9e3779b97f4a7c15 };

void filter_words_make(struct filter_words *w, const struct exo_pattern *p)
{
	filter_u128 sum = 0;

	*w = (struct filter_words){ 0 };
	for (uint32_t i = 0; i < EXO_NIC_WORDS; i++) {
		if (!p->mask[i])
			continue;
		w->at[w->count] = i * 8;
		w->mask[w->count] = p->mask[i];
		w->value[w->count++] = p->value[i];
	}
	w->count += w->count % 2;
	for (uint32_t i = 0; i < w->count; i += 2)
		sum += filter_pair_hash(w->value[i], w->value[i + 1], i);
	w->hash = filter_hash_end(sum);
}

bool filter_words_alike(const struct filter_words *a, const struct filter_words *b)
{
	return !memcmp(a->at, b->at, sizeof(a->at)) && !memcmp(a->mask, b->mask, sizeof(a->mask));
}

static struct filter *group_of(const struct filter *parent, const struct filter *f,
                               enum filter_side side)
{
	const struct filter_words *w = &f->words[side];
	uint32_t pfn = parent->groups[side].first;

	for (uint32_t n = 0; pfn && n < FILTER_SHAPES; n++) {
		struct filter *root = filter_at(pfn);

		if (filter_words_alike(w, &root->words[side]))
			return root;
		pfn = root->node[side].group_next;
	}
	return NULL;
}

/* A group of its own, behind all others. */
static void group_make(struct filter *parent, struct filter *f, enum filter_side side)
{
	struct filter_groups *g = &parent->groups[side];
	struct filter_node *n = &f->node[side];

	memcpy(n->agree, f->words[side].mask, sizeof(n->agree));
	n->group_prev = g->last;
	if (g->last)
		filter_at(g->last)->node[side].group_next = filter_pfn(f);
	else
		g->first = filter_pfn(f);
	g->last = filter_pfn(f);
}

/* Behind the first of its hash, so that nobody's place in the tree changes. */
static void equal_add(struct filter *first, struct filter *f, enum filter_side side)
{
	struct filter_node *n = &f->node[side], *p = &first->node[side];

	n->equal_prev = filter_pfn(first);
	n->equal_next = p->equal_next;
	if (n->equal_next)
		filter_at(n->equal_next)->node[side].equal_prev = filter_pfn(f);
	p->equal_next = filter_pfn(f);
}

static void tree_add(struct filter *root, struct filter *f, enum filter_side side)
{
	uint64_t digits = f->words[side].hash;
	struct filter *up = root;

	while (up->words[side].hash != f->words[side].hash) {
		digits = filter_digit_next(digits);
		if (!up->node[side].kid[digits % 64]) {
			f->node[side].up = filter_pfn(up);
			f->node[side].digit = digits % 64;
			up->node[side].kid[digits % 64] = filter_pfn(f);
			up->node[side].kids |= 1ul << digits % 64;
			return;
		}
		up = filter_at(up->node[side].kid[digits % 64]);
	}
	equal_add(up, f, side);
}

void filter_group_add(struct filter *parent, struct filter *f, enum filter_side side)
{
	struct filter *root = group_of(parent, f, side);
	const struct filter_words *w = &f->words[side];

	if (!root) {
		group_make(parent, f, side);
		return;
	}
	for (uint32_t i = 0; i < w->count; i++)
		root->node[side].agree[i] &= ~(w->value[i] ^ root->words[side].value[i]);
	tree_add(root, f, side);
}

/* --- taking out --- */

/* The neighbours of the group with this root find `before` and `after` in its place. */
static void group_rename(struct filter *parent, const struct filter_node *n, enum filter_side side,
                         uint32_t before, uint32_t after)
{
	struct filter_groups *g = &parent->groups[side];

	if (n->group_prev)
		filter_at(n->group_prev)->node[side].group_next = after;
	else
		g->first = after;
	if (n->group_next)
		filter_at(n->group_next)->node[side].group_prev = before;
	else
		g->last = before;
}

static void leaf_unlink(const struct filter_node *n, enum filter_side side)
{
	struct filter_node *up = &filter_at(n->up)->node[side];

	up->kid[n->digit] = 0;
	up->kids &= ~(1ul << n->digit);
}

/* `by`, which is in no tree, takes the place of f and keeps its own list of equal hashes. */
static void tree_replace(struct filter *parent, struct filter *f, struct filter *by,
                         enum filter_side side)
{
	struct filter_node *n = &by->node[side];
	uint32_t pfn = filter_pfn(by), equal_next = n->equal_next;

	*n = f->node[side];
	n->equal_prev = 0;
	n->equal_next = equal_next;
	for (uint64_t kids = n->kids; kids; kids &= kids - 1)
		filter_at(n->kid[__builtin_ctzl(kids)])->node[side].up = pfn;
	if (n->up)
		filter_at(n->up)->node[side].kid[n->digit] = pfn;
	else
		group_rename(parent, n, side, pfn, pfn);
}

/* Any leaf below: the digits above it are those of its own hash, so it fits higher up as well. */
static struct filter *leaf_below(struct filter *f, enum filter_side side)
{
	while (f->node[side].kids)
		f = filter_at(f->node[side].kid[__builtin_ctzl(f->node[side].kids)]);
	return f;
}

static void equal_remove(const struct filter_node *n, enum filter_side side)
{
	filter_at(n->equal_prev)->node[side].equal_next = n->equal_next;
	if (n->equal_next)
		filter_at(n->equal_next)->node[side].equal_prev = n->equal_prev;
}

void filter_group_remove(struct filter *parent, struct filter *f, enum filter_side side)
{
	struct filter_node *n = &f->node[side];

	if (n->equal_prev) {
		equal_remove(n, side);
	} else if (n->equal_next) {
		tree_replace(parent, f, filter_at(n->equal_next), side);
	} else if (n->kids) {
		struct filter *leaf = leaf_below(f, side);

		leaf_unlink(&leaf->node[side], side);
		tree_replace(parent, f, leaf, side);
	} else if (n->up) {
		leaf_unlink(n, side);
	} else {
		group_rename(parent, n, side, n->group_prev, n->group_next);
	}
	memset(n, 0, sizeof(*n));
}
