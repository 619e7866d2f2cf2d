/* SPDX-License-Identifier: MIT */
/*
 * table_random.c - page tables of all levels and kinds of spaces used at random, and ended while in
 * use: all their frames come back as zeros, and nothing is mapped any more.
 *
 * Some of the tables lie in two chunks of the owner map.  Half of the time nobody looks at the
 * frames between two rounds, so that they stay known to be zero.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include "guest.h"

#define VA     0x0000200000000000ull
#define TABLES 15u              /* the first is the space */
#define FRAMES (TABLES * EXO_FRAMES_PT)
#define BEFORE 30u              /* of these, in the lower of two chunks */
#define OPS    100u
#define BATCH  4u
#define PAINT  0x0123456789abcdefull

struct forest {
	exo_slot all;           /* three chunks */
	struct guest_frames f;  /* of the tables */
	exo_slot data;          /* the last chunk */
	uint64_t data_pfn;
	exo_slot table[TABLES];
};

static bool forest_find(struct forest *t)
{
	uint64_t lo;
	exo_slot claim;

	if (!expect_eq(exos_frame_alloc_aligned(3 * 512, 512, &lo, &claim), 0))
		return false;
	t->all = guest_narrow(claim, lo, lo + 3 * 512, GUEST_R_FRAMES);
	t->f.lo = lo + 512 - BEFORE;
	t->f.hi = t->f.lo + FRAMES;
	t->f.slot = guest_narrow(t->all, t->f.lo, t->f.hi, GUEST_R_FRAMES);
	t->data_pfn = lo + 2 * 512;
	t->data = guest_narrow(t->all, t->data_pfn, t->data_pfn + 512, GUEST_R_FRAMES);
	return t->all && t->f.slot && t->data;
}

/* Two of level 3, four of level 2. */
static uint64_t level_of(unsigned n)
{
	return n < 3 ? 3 : n < 7 ? 2 : 1;
}

static void forest_plant(struct forest *t)
{
	for (unsigned i = 0; i < TABLES; i++)
		t->table[i] = guest_retype(t->f.slot, t->f.lo + i * EXO_FRAMES_PT,
					   i ? EXO_KIND_PT : EXO_KIND_SPACE,
					   !i ? guest_below(EXO_SPACE_USES) : level_of(i));
}

/* One of few places, so that tables meet. */
static uint64_t somewhere(void)
{
	return VA + (guest_below(2) << 39) + (guest_below(2) << 30) + (guest_below(3) << 21);
}

/* By the shortest way go pages of the table that was used before: mostly the same is used again. */
static void op_make(const struct forest *t, struct exo_map_op *op)
{
	static uint64_t place;
	uint64_t what = guest_below(24), page = guest_below(512);
	bool large = guest_below(8) == 0;

	if (!place || guest_below(6) == 0)
		place = somewhere();
	*op = (struct exo_map_op){ .va = place, .slot = t->data, .pages = 1,
				   .prot = large ? EXO_SIZE_2M : 0 };
	op->op = what < 6 ? EXO_LINK : what < 7 ? EXO_UNLINK : what < 16 ? EXO_MAP :
		 what < 22 ? EXO_UNMAP : EXO_PROTECT;
	if (op->op == EXO_LINK)
		op->slot = t->table[1 + guest_below(TABLES - 1)];
	if (op->op == EXO_UNLINK)
		op->prot = (uint16_t)(1 + guest_below(3));
	if (op->op == EXO_LINK || op->op == EXO_UNLINK)
		return;
	op->prot |= EXO_R_READ | (guest_below(2) ? EXO_R_WRITE : 0);
	op->pfn = t->data_pfn;
	if (large)
		return;
	op->va += page * EXO_PAGE_SIZE;
	op->pages = (uint32_t)(guest_below(2) ? 1 : 1 + guest_below(20));
	op->pfn += guest_below(512 - (op->pages - 1));
}

/* Where most of what is tried first can be done. */
static void forest_link(const struct forest *t)
{
	struct exo_map_op op = { .op = EXO_LINK, .va = VA };

	for (unsigned n = 1; n < 10; n += n < 3 ? 2 : 4) {
		op.slot = t->table[n];
		expect_eq(exo_space_update(t->table[0], (uint64_t)&op, 1), 1);
	}
}

/* How many words of frames are not 0; all are painted afterwards. */
static uint64_t words_left(const struct forest *t, uint64_t pfn, uint64_t count)
{
	uint64_t *words = exos_space_window(t->f.slot, pfn, count, GUEST_RW, NULL), left = 0;

	if (!expect(words != NULL))
		return ~0ull;
	for (unsigned i = 0; i < count * 512; i++) {
		left += words[i] != 0;
		words[i] = PAINT;
	}
	exos_space_window_end(words, count);
	return left;
}

/* End a table in use; what comes back is zero; make another of its frames. */
static void tree_replant(struct forest *t, unsigned n)
{
	uint64_t pfn = t->f.lo + n * EXO_FRAMES_PT;

	expect_eq(exos_cap_end(t->table[n]), 0);
	if (guest_below(2))
		expect_eq(words_left(t, pfn, EXO_FRAMES_PT), 0);
	t->table[n] = guest_retype(t->f.slot, pfn, EXO_KIND_PT, 1 + guest_below(3));
}

/* What is refused is as good as what is done: only the end counts.  How many were done. */
static uint64_t forest_use(struct forest *t)
{
	struct exo_map_op op[BATCH];
	uint64_t done = 0;

	for (unsigned i = 0; i < OPS; i++) {
		uint64_t count = 1 + guest_below(BATCH);
		int64_t some;

		for (uint64_t n = 0; n < count; n++)
			op_make(t, &op[n]);
		some = exo_space_update(t->table[0], (uint64_t)op, count);
		done += some > 0 ? (uint64_t)some : 0;
		if (guest_below(20) == 0)
			tree_replant(t, 1 + (unsigned)guest_below(TABLES - 1));
	}
	return done;
}

/* All at once, or one by one: from the space down, or up to it. */
static void forest_fell(struct forest *t)
{
	uint64_t way = guest_below(3);

	for (unsigned i = 0; i < TABLES && way; i++)
		expect_eq(exos_cap_end(t->table[way == 1 ? i : TABLES - 1 - i]), 0);
	expect_eq(exos_cap_revoke(t->f.slot), 0);
}

static uint64_t maps_left(const struct forest *t)
{
	uint64_t maps = 0;

	for (unsigned i = 0; i < 512; i++)
		maps += guest_maps(t->data_pfn + i);
	return maps + (exos_cap_look(t->data)->bind != 0);
}

EXO_TEST(tables_used_at_random_leave_zeroes, BIG)
{
	struct forest t = { .all = 0 };
	uint64_t done = 0;

	must(forest_find(&t));
	words_left(&t, t.f.lo, FRAMES);
	for (unsigned round = 0; round < 40 && !guest_failures(); round++) {
		forest_plant(&t);
		forest_link(&t);
		done += forest_use(&t);
		forest_fell(&t);
		expect_eq(maps_left(&t), 0);
		if (guest_below(2))
			expect_eq(words_left(&t, t.f.lo, FRAMES), 0);
	}
	expect(done > 1000);
	expect_eq(exos_cap_end(t.all), 0);
}
