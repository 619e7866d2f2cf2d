/* SPDX-License-Identifier: MIT */
/*
 * filter_group.h - the children of a filter, on one side, grouped by mask (tuple-space search).
 *
 * Invariant: the filters of a group have the same mask.  They form a digital search tree over their
 * values' hashes, six bits a level from the top; filters of equal hash (the same value, or hashes
 * that collide) are a list whose first is in the tree.  Equal masks share a group unless there were
 * 64 groups already.  Groups are in the order in which they came to be.  Only filter*.c see this.
 */
#ifndef EXO_FILTER_GROUP_H
#define EXO_FILTER_GROUP_H

#include "filter.h"

/*
 * What hashes are made with: filter_seed fills it.  The hash is the sum of the products of pairs of
 * words, word[] added (NH of UMAC, RFC 4418 section 5.2.2, with words of 64 bits): whatever the
 * words are, two patterns collide for few values of word[] only.
 */
struct filter_key {
	uint64_t word[EXO_NIC_WORDS];
	uint64_t mix;
};
extern struct filter_key filter_key;

static inline const struct exo_pattern *filter_pattern(const struct exo_nic_spec *s,
                                                       enum filter_side side)
{
	return side == FILTER_SEND ? &s->send : &s->receive;
}

/* The words of a pattern that name something, and the hash of their values. */
void filter_words_make(struct filter_words *w, const struct exo_pattern *p);

/* Same bits of the same words? */
bool filter_words_alike(const struct filter_words *a, const struct filter_words *b);

/*
 * The first tree node of the group with root `root` that has this hash, and so all members with it
 * (equal_next), or NULL.
 */
static inline const struct filter *filter_group_hash(const struct filter *root, uint64_t hash,
                                                     enum filter_side side);

/* Put a child in, whose words are made; take it out. */
void filter_group_add(struct filter *parent, struct filter *f, enum filter_side side);
void filter_group_remove(struct filter *parent, struct filter *f, enum filter_side side);

__extension__ typedef unsigned __int128 filter_u128;

/* What words i and i + 1 of a pattern, i even, add to the sum. */
static inline filter_u128 filter_pair_hash(uint64_t a, uint64_t b, uint32_t i)
{
	return (filter_u128)(a + filter_key.word[i]) * (b + filter_key.word[i + 1]);
}

/* Digits of the tree are taken from the top, so the last product spreads all bits upwards. */
static inline uint64_t filter_hash_end(filter_u128 sum)
{
	return ((uint64_t)sum ^ (uint64_t)(sum >> 64)) * filter_key.mix;
}

/* The topmost six bits come down, to be the digit of the next level. */
static inline uint64_t filter_digit_next(uint64_t digits) { return digits << 6 | digits >> 58; }

static inline const struct filter *filter_group_hash(const struct filter *root, uint64_t hash,
                                                     enum filter_side side)
{
	const struct filter *f = root;
	uint64_t digits = hash;

	while (f->words[side].hash != hash) {
		uint32_t kid;

		digits = filter_digit_next(digits);
		kid = f->node[side].kid[digits % 64];
		if (!kid)
			return NULL;
		f = filter_at(kid);
	}
	return f;
}

#endif
