/* SPDX-License-Identifier: MIT */
/*
 * filter_find.c - packets against filters: which one a packet belongs to, and whether it matches.
 *
 * Invariant: a hash only says where to look; no filter is found but by comparing its words.  This
 * runs for every packet: one probe for each distinct mask, at most 64 a level.  Nothing changes.
 */
#include "filter.h"

#include "filter_group.h"

static inline uint64_t load(const uint8_t *at)
{
	uint64_t word;

	__builtin_memcpy(&word, at, sizeof(word));
	return word;
}

static inline bool values_equal(const struct filter_words *w, const uint64_t *value)
{
	uint64_t differ = 0;

	for (uint32_t i = 0; i < w->count; i += 2)
		differ |= (w->value[i] ^ value[i]) | (w->value[i + 1] ^ value[i + 1]);
	return !differ;
}

/* The first member of root's group with these masked words. */
static inline const struct filter *tree_find(const struct filter *root, uint64_t hash,
                                             const uint64_t *value)
{
	const struct filter *f = filter_group_hash(root, hash, FILTER_RECEIVE);

	if (!f)
		return NULL;
	while (!values_equal(&f->words[FILTER_RECEIVE], value)) {
		if (!f->node[FILTER_RECEIVE].equal_next)
			return NULL;
		f = filter_at(f->node[FILTER_RECEIVE].equal_next);
	}
	return f;
}

static inline const struct filter *group_find(const struct filter *root, const uint8_t *header)
{
	const struct filter_words *w = &root->words[FILTER_RECEIVE];
	uint64_t value[EXO_NIC_WORDS];
	filter_u128 sum = 0;

	for (uint32_t i = 0; i < w->count; i += 2) {
		value[i] = load(header + w->at[i]) & w->mask[i];
		value[i + 1] = load(header + w->at[i + 1]) & w->mask[i + 1];
		sum += filter_pair_hash(value[i], value[i + 1], i);
	}
	return tree_find(root, filter_hash_end(sum), value);
}

/* The child of f that receives the packet, or NULL. */
static inline const struct filter *child_find(const struct filter *f, const uint8_t *header)
{
	uint32_t group = f->groups[FILTER_RECEIVE].first;

	for (unsigned n = 0; group && n < FILTER_SHAPES; n++) {
		const struct filter *root = filter_at(group), *child = group_find(root, header);

		if (child)
			return child;
		group = root->node[FILTER_RECEIVE].group_next;
	}
	return NULL;
}

struct filter *filter_find(struct filter *root, const void *header)
{
	const struct filter *f = root, *child;

	while ((child = child_find(f, header)))
		f = child;
	return (struct filter *)f;
}

static bool words_match(const struct filter_words *w, const uint8_t *header)
{
	for (uint32_t i = 0; i < w->count; i++)
		if ((load(header + w->at[i]) & w->mask[i]) != w->value[i])
			return false;
	return true;
}

bool filter_receives(const struct filter *f, const void *header)
{
	return (f->pub.rights & EXO_R_READ) && words_match(&f->words[FILTER_RECEIVE], header);
}

bool filter_sends(const struct filter *f, const void *header)
{
	return (f->pub.rights & EXO_R_WRITE) && words_match(&f->words[FILTER_SEND], header);
}

bool filter_names_send(const struct filter *f, uint64_t at, uint64_t bytes)
{
	const uint8_t *mask = (const uint8_t *)f->pub.spec.send.mask;

	for (; bytes && at < EXO_NIC_HEADER; at++, bytes--)
		if (mask[at])
			return true;
	return false;
}
