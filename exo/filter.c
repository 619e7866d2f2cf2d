/* SPDX-License-Identifier: MIT */
/*
 * filter.c - the tree of filters: hanging them in, taking them out, and going up it by the shares.
 *
 * Invariant: see filter.h.  Of a filter's shares the eight oldest get copies.  Nothing here can
 * fail: what may be made is decided in filter_check.c.  Packets: filter_find.c.
 */
#include "filter.h"

#include <base/string.h>

#include "filter_group.h"

/* One step of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators). */
static uint64_t seed_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void filter_seed(uint64_t seed)
{
	for (unsigned i = 0; i < EXO_NIC_WORDS; i++)
		filter_key.word[i] = seed_next(&seed);
	filter_key.mix = seed_next(&seed) | 1;
}

/* --- shares --- */

static void shares_choose(struct filter *of)
{
	struct filter *s = filter_or_null(of->share_first);

	for (unsigned n = 0; s && n < FILTER_SHARES; n++, s = filter_or_null(s->share_next))
		s->share_on = 1;
}

static void share_add(struct filter *of, struct filter *s)
{
	s->share_prev = of->share_last;
	if (of->share_last)
		filter_at(of->share_last)->share_next = filter_pfn(s);
	else
		of->share_first = filter_pfn(s);
	of->share_last = filter_pfn(s);
	of->shares++;
	shares_choose(of);
}

static void share_remove(struct filter *of, struct filter *s)
{
	if (s->share_prev)
		filter_at(s->share_prev)->share_next = s->share_next;
	else
		of->share_first = s->share_next;
	if (s->share_next)
		filter_at(s->share_next)->share_prev = s->share_prev;
	else
		of->share_last = s->share_prev;
	s->share_prev = s->share_next = s->share_on = 0;
	of->shares--;
	shares_choose(of);
}

/* Those of f, or of the nearest filter above it that has any. */
struct filter *filter_share_first(const struct filter *f)
{
	while (!f->share_first) {
		if (!f->pub.parent)
			return NULL;
		f = filter_at(f->pub.parent);
	}
	return filter_at(f->share_first);
}

struct filter *filter_share_next(const struct filter *share)
{
	struct filter *next = filter_or_null(share->share_next);
	const struct filter *of = filter_at(share->pub.parent);

	if (next && next->share_on)
		return next;
	return of->pub.parent ? filter_share_first(filter_at(of->pub.parent)) : NULL;
}

/* --- the tree --- */
static bool in_group(const struct filter *f, enum filter_side side)
{
	return f->pub.rights & (side == FILTER_SEND ? EXO_R_WRITE : EXO_R_READ);
}

static void child_hang(struct filter *parent, struct filter *f)
{
	f->pub.parent = filter_pfn(parent);
	if (f->pub.share) {
		share_add(parent, f);
		return;
	}
	for (enum filter_side side = 0; side < FILTER_SIDES; side++)
		if (in_group(f, side))
			filter_group_add(parent, f, side);
	parent->children++;
}

static void child_unhang(struct filter *f)
{
	struct filter *parent = filter_at(f->pub.parent);

	if (f->pub.share) {
		share_remove(parent, f);
		return;
	}
	for (enum filter_side side = 0; side < FILTER_SIDES; side++)
		if (in_group(f, side))
			filter_group_remove(parent, f, side);
	parent->children--;
}

void filter_root(struct filter *f, uint32_t nic)
{
	f->pub.nic = nic;
	f->pub.rights = EXO_R_READ | EXO_R_WRITE;
}

void filter_attach(struct filter *parent, struct filter *f, const struct exo_nic_spec *whole,
                   unsigned rights, bool share)
{
	f->pub.spec = *whole;
	f->pub.nic = parent->pub.nic;
	f->pub.rights = rights;
	f->pub.share = share;
	for (enum filter_side side = 0; side < FILTER_SIDES; side++)
		filter_words_make(&f->words[side], filter_pattern(whole, side));
	child_hang(parent, f);
}

void filter_detach(struct filter *f)
{
	child_unhang(f);
	memset(f, 0, sizeof(*f));
}

void filter_rehang(struct filter *f, struct filter *heir)
{
	child_unhang(f);
	child_hang(heir, f);
}
