/* SPDX-License-Identifier: MIT */
/*
 * pieces.c - which parts of a BLOCK claim were given away.
 *
 * The pieces of a claim are a digital search tree that lies in the pieces: the node at depth n has
 * its place by the first n bits of its key, which are its first block and, as no two slots are the
 * same, its sid.  So the tree is at most 96 deep, whoever chooses the blocks, and needs no
 * balancing.
 *
 * Invariant: every key below a node shares the node's prefix of as many bits as the node is deep.
 */
#include "pieces.h"

#include "claim.h"

#define KEY_BITS 96u

struct key {
	uint64_t lo;
	exo_sid sid;
};

static struct key key_of(const struct exo_cap *c)
{
	return (struct key){ c->lo, slot_sid(c) };
}

static unsigned key_bit(struct key k, unsigned depth)
{
	return depth < 64 ? k.lo >> (63 - depth) & 1 : k.sid >> (95 - depth) & 1;
}

/* Blocks are counted in far fewer than 64 bits: bits that are 0 for all are passed over. */
static unsigned key_start(const struct exo_cap *parent)
{
	return parent->hi > 1 ? (unsigned)__builtin_clzl(parent->hi - 1) : 63;
}

/* The two places below a node. */
static exo_sid *below(struct exo_cap *c)
{
	return (exo_sid *)&c->held;
}

static struct exo_cap *node(exo_sid sid)
{
	return sid ? slot_at(sid) : NULL;
}

/* The piece of a subtree with the greatest key: in the right half if there is one. */
static struct exo_cap *greatest(struct exo_cap *c)
{
	struct exo_cap *best = c;

	for (; c; c = node(below(c)[1] ? below(c)[1] : below(c)[0]))
		if (c->lo > best->lo)
			best = c;
	return best;
}

/*
 * The piece that begins last below `hi`.  It is on the way to hi's place, or in the last half that
 * the way leaves on its left.
 */
static const struct exo_cap *piece_below(const struct exo_cap *parent, uint64_t hi)
{
	struct key k = { hi - 1, ~0u };
	struct exo_cap *c = node(parent->badge), *best = NULL, *left = NULL;
	unsigned depth = key_start(parent);

	for (; c && depth <= KEY_BITS; depth++) {
		unsigned bit = depth < KEY_BITS && key_bit(k, depth);

		if (c->lo < hi && (!best || c->lo > best->lo))
			best = c;
		if (bit && below(c)[0])
			left = node(below(c)[0]);
		c = node(below(c)[bit]);
	}
	c = greatest(left);
	return c && (!best || c->lo > best->lo) ? c : best;
}

bool pieces_clear(const struct exo_cap *parent, uint64_t lo, uint64_t hi)
{
	const struct exo_cap *c = parent->badge ? piece_below(parent, hi) : NULL;

	return !c || c->hi <= lo;
}

void piece_add(struct exo_cap *parent, struct exo_cap *c)
{
	struct key k = key_of(c);
	exo_sid *at = &parent->badge;

	for (unsigned depth = key_start(parent); *at; depth++)
		at = &below(slot_at(*at))[key_bit(k, depth)];
	*at = slot_sid(c);
	c->held = 0;
}

/* The place that names a node without any below it, at or below the place given. */
static exo_sid *leaf_place(exo_sid *at)
{
	for (;;) {
		exo_sid *b = below(slot_at(*at));

		if (!b[0] && !b[1])
			return at;
		at = b[0] ? &b[0] : &b[1];
	}
}

/* Any leaf below a node may take its place. */
void piece_remove(struct exo_cap *parent, struct exo_cap *c)
{
	struct key k = key_of(c);
	exo_sid *at = &parent->badge, *leaf, sid;

	for (unsigned depth = key_start(parent); *at && *at != slot_sid(c); depth++)
		at = &below(slot_at(*at))[key_bit(k, depth)];
	if (!*at)
		return;
	leaf = leaf_place(at);
	sid = *leaf;
	*leaf = 0;
	if (sid == slot_sid(c))
		return;
	slot_at(sid)->held = c->held;
	*at = sid;
}

struct exo_cap *piece_first(const struct exo_cap *parent)
{
	struct exo_cap *c = node(parent->badge), *best = c;

	for (; c; c = node(below(c)[0] ? below(c)[0] : below(c)[1]))
		if (c->lo < best->lo)
			best = c;
	return best;
}
