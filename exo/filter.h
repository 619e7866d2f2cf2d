/* SPDX-License-Identifier: MIT */
/*
 * filter.h - the classifier: which NIC claim a packet belongs to, and which claims may be made.
 *
 * Filters form a tree; a child's patterns are its parent's and some bits more.  Invariant: siblings
 * that are not shares are disjoint (both receive: their receive patterns differ in a bit that both
 * name; both send: so do their send patterns), so at most one child takes a packet.  The exception
 * is the moment between filter_rehang and filter_detach, when either of two may be found.
 *
 * A filter fills one frame and holds no kernel address: filters name each other by frame number.
 * The caller's locks: changes hold tree_lock and the NIC's lock, so that either is enough to read.
 * Everything here is bounded, whatever was made by whom.  No claims here: see dev/nic_claim.c.
 */
#ifndef EXO_FILTER_H
#define EXO_FILTER_H

#include <exo/nic.h>
#include <stdbool.h>

#include "turn.h"
#include "x86/direct.h"

#define FILTER_DEPTH   16u      /* filters on a way down, below the NIC's own */
#define FILTER_SHARES  8u       /* of one filter that get copies */
#define FILTER_SHAPES  64u      /* distinct masks among a filter's children that are looked up */
#define FILTER_COMPARE 1024u    /* siblings that one check compares with */

/* A side of a filter: which pattern. */
enum filter_side { FILTER_RECEIVE, FILTER_SEND, FILTER_SIDES };

/* A pattern without the words that it names nothing of; written once, by filter_attach. */
struct filter_words {
	uint64_t hash;                  /* of value[] */
	uint32_t count;                 /* words in use, made even by one that names nothing */
	uint16_t at[EXO_NIC_WORDS];     /* byte offset in the packet, ascending */
	uint64_t mask[EXO_NIC_WORDS];
	uint64_t value[EXO_NIC_WORDS];
};

/* A filter's place among its siblings, on one side (filter_group.h).  Links are pfns, 0: none. */
struct filter_node {
	uint64_t kids;                  /* bit n: kid[n] is there */
	uint32_t kid[64];
	uint32_t up, digit;             /* kid[digit] of `up` is this one */
	uint32_t equal_prev, equal_next; /* same hash; only the first of them is in the tree */
	uint32_t group_prev, group_next; /* the root of a tree stands for its group */
	uint64_t agree[EXO_NIC_WORDS];  /* the root: bits in which all of the group are as it is */
};

/* The children that are in groups, by their groups' roots. */
struct filter_groups {
	uint32_t first, last;
};

struct filter {
	struct exo_filter pub;
	struct filter_words words[FILTER_SIDES];
	struct filter_node node[FILTER_SIDES];
	struct filter_groups groups[FILTER_SIDES];
	uint32_t children;              /* shares are not counted */
	uint32_t share_first, share_last; /* oldest first */
	uint32_t shares;
	uint32_t share_prev, share_next; /* of a share */
	uint32_t share_on;              /* 1: it is one of those that get copies */
	uint64_t prog;                  /* pfn of the holder's program; 0: none */
	struct turn all;                /* who waits to send by it or by those below: nic_turn.c */
	struct turn own;                /* rings bound by it; stands in `all`, as its children do */
};
_Static_assert(sizeof(struct filter) <= EXO_PAGE_SIZE, "a filter is one frame");

static inline struct filter *filter_at(uint64_t pfn) { return pfn_to_virt(pfn); }
static inline struct filter *filter_or_null(uint32_t pfn) { return pfn ? filter_at(pfn) : NULL; }
static inline uint64_t filter_pfn(const struct filter *f)
{
	return virt_to_phys(f) >> EXO_PAGE_SHIFT;
}

/* Before the first filter is made: a number nobody can guess.  Without it, hashes can be. */
void filter_seed(uint64_t seed);

/* A NIC's own filter: empty patterns, READ and WRITE.  The frame was zeroed before. */
void filter_root(struct filter *f, uint32_t nic);

/*
 * May `parent` have a child with these patterns in addition to its own?  Fills *whole with both,
 * merged; changes nothing else.  `rights` of EXO_R_READ and EXO_R_WRITE.  0, or
 * RANGE   `added` has a value outside its mask, or contradicts the parent's patterns;
 * RIGHTS  the parent does not have these rights;
 * SHARED  the parent is a share: shares have no children;
 * SPLIT   a sibling takes some of these packets;
 * ROOM    too deep, too many shares, too many shapes, or too many siblings to compare with.
 */
int filter_check(const struct filter *parent, const struct exo_nic_spec *added, unsigned rights,
                 bool share, struct exo_nic_spec *whole);

/*
 * Make it.  Cannot fail after the check; f is zero before, or was detached.  The caller sets
 * pub.holder.
 */
void filter_attach(struct filter *parent, struct filter *f, const struct exo_nic_spec *whole,
                   unsigned rights, bool share);

/* Take a filter out that has neither children nor shares; all of it is zero afterwards. */
void filter_detach(struct filter *f);

/*
 * Hang a child or share, with all below it, on `heir`, its parent's parent, since the parent is
 * about to be detached.  Cannot fail, so the limits can be passed; what came last then waits until
 * others go: a share beyond the eighth gets no copies, and packets of a shape beyond the 64th
 * belong to the heir.
 */
void filter_rehang(struct filter *f, struct filter *heir);

/* Has it children that are not shares? */
static inline bool filter_has_children(const struct filter *f) { return f->children; }

/*
 * The narrowest filter that a received packet belongs to, never a share.  `header`: 128 readable
 * bytes at any address, zeros behind the packet's end.
 */
struct filter *filter_find(struct filter *root, const void *header);

/*
 * Has the filter the right to it, READ or WRITE, and does the packet match its own pattern?  Never,
 * once it was detached.
 */
bool filter_receives(const struct filter *f, const void *header);
bool filter_sends(const struct filter *f, const void *header);

/*
 * Does the send pattern name a bit of the packet's bytes [at, at + bytes)?  If so, the device must
 * not store there: they were compared before.  Any values; no pattern names what is behind 128.
 */
bool filter_names_send(const struct filter *f, uint64_t at, uint64_t bytes);

/*
 * The shares that may get a copy of a packet of `f`: those of f and of all filters above it, at
 * most 8 of each.  Whether one does is for filter_receives or, for a sent packet, filter_sends to
 * say:
 *     for (s = filter_share_first(f); s; s = filter_share_next(s))
 */
struct filter *filter_share_first(const struct filter *f);
struct filter *filter_share_next(const struct filter *share);

#endif
