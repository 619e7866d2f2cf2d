/* SPDX-License-Identifier: MIT */
/*
 * filter_check.c - may a filter have such a child: depth, shares, and whether a sibling takes some
 * of the same packets.
 *
 * Invariant: nothing is changed, and at most FILTER_COMPARE filters and groups are looked at on a
 * side.
 */
#include "filter_group.h"

#include <base/string.h>
#include <exo/errors.h>

/* Patterns overlap unless they differ in a bit that both name. */
static bool patterns_overlap(const struct exo_pattern *a, const struct exo_pattern *b)
{
	uint64_t differ = 0;

	for (unsigned i = 0; i < EXO_NIC_WORDS; i++)
		differ |= (a->value[i] ^ b->value[i]) & a->mask[i] & b->mask[i];
	return !differ;
}

/* The next of a group's members, a filter before those below it, or NULL. */
static const struct filter *member_next(const struct filter *f, enum filter_side side)
{
	uint64_t kids;

	if (f->node[side].equal_next)
		return filter_at(f->node[side].equal_next);
	while (f->node[side].equal_prev)
		f = filter_at(f->node[side].equal_prev);
	kids = f->node[side].kids;
	while (!kids && f->node[side].up) {
		uint32_t digit = f->node[side].digit;

		f = filter_at(f->node[side].up);
		kids = f->node[side].kids & ~1ul << digit;
	}
	return kids ? filter_at(f->node[side].kid[__builtin_ctzl(kids)]) : NULL;
}

/* A group of other mask: if all its members differ from the pattern in one bit, that says it. */
static bool group_differs(const struct filter *root, const struct exo_pattern *p,
                          enum filter_side side)
{
	const struct filter_words *w = &root->words[side];
	uint64_t differ = 0;

	for (uint32_t i = 0; i < w->count; i++)
		differ |= (w->value[i] ^ p->value[w->at[i] / 8]) & p->mask[w->at[i] / 8] &
			  root->node[side].agree[i];
	return differ;
}

static int members_check(const struct filter *root, const struct exo_pattern *p,
                         enum filter_side side, unsigned *budget)
{
	for (const struct filter *f = root; f; f = member_next(f, side)) {
		if (!*budget)
			return -EXO_E_ROOM;
		--*budget;
		if (patterns_overlap(p, filter_pattern(&f->pub.spec, side)))
			return -EXO_E_SPLIT;
	}
	return 0;
}

/* A group of the same mask: only a member of the same value overlaps. */
static int equals_check(const struct filter *root, const struct filter_words *w,
                        enum filter_side side, unsigned *budget)
{
	const struct filter *f = filter_group_hash(root, w->hash, side);

	for (; f; f = filter_or_null(f->node[side].equal_next)) {
		if (!*budget)
			return -EXO_E_ROOM;
		--*budget;
		if (!memcmp(f->words[side].value, w->value, sizeof(w->value)))
			return -EXO_E_SPLIT;
	}
	return 0;
}

static int siblings_check(const struct filter *parent, const struct exo_pattern *p,
                          enum filter_side side)
{
	unsigned budget = FILTER_COMPARE, shapes = 0;
	uint32_t pfn = parent->groups[side].first;
	struct filter_words w;
	bool known = false;
	int err = 0;

	filter_words_make(&w, p);
	for (; pfn && !err; shapes++) {
		const struct filter *root = filter_at(pfn);

		if (!budget)
			return -EXO_E_ROOM;
		budget--;
		pfn = root->node[side].group_next;
		if (filter_words_alike(&w, &root->words[side])) {
			known |= shapes < FILTER_SHAPES;
			err = equals_check(root, &w, side, &budget);
		} else if (!group_differs(root, p, side)) {
			err = members_check(root, p, side, &budget);
		}
	}
	return !err && !known && shapes >= FILTER_SHAPES ? -EXO_E_ROOM : err;
}

static int pattern_merge(const struct exo_pattern *above, const struct exo_pattern *added,
                         struct exo_pattern *whole)
{
	uint64_t wrong = 0;

	for (unsigned i = 0; i < EXO_NIC_WORDS; i++) {
		wrong |= added->value[i] & ~added->mask[i];
		wrong |= (above->value[i] ^ added->value[i]) & above->mask[i] & added->mask[i];
		whole->mask[i] = above->mask[i] | added->mask[i];
		whole->value[i] = above->value[i] | added->value[i];
	}
	return wrong ? -EXO_E_RANGE : 0;
}

/* Links go up to a filter whose parent is 0, the NIC's own. */
static unsigned depth_of(const struct filter *f)
{
	unsigned depth = 0;

	for (; f->pub.parent; f = filter_at(f->pub.parent))
		depth++;
	return depth;
}

int filter_check(const struct filter *parent, const struct exo_nic_spec *added, unsigned rights,
                 bool share, struct exo_nic_spec *whole)
{
	const struct exo_nic_spec *above = &parent->pub.spec;
	int err = 0;

	if (parent->pub.share)
		return -EXO_E_SHARED;
	if (rights & ~parent->pub.rights)
		return -EXO_E_RIGHTS;
	if (pattern_merge(&above->receive, &added->receive, &whole->receive) ||
	    pattern_merge(&above->send, &added->send, &whole->send))
		return -EXO_E_RANGE;
	if (depth_of(parent) >= FILTER_DEPTH)
		return -EXO_E_ROOM;
	if (share)
		return parent->shares >= FILTER_SHARES ? -EXO_E_ROOM : 0;
	if (rights & EXO_R_READ)
		err = siblings_check(parent, &whole->receive, FILTER_RECEIVE);
	if (!err && (rights & EXO_R_WRITE))
		err = siblings_check(parent, &whole->send, FILTER_SEND);
	return err;
}
