/* SPDX-License-Identifier: MIT */
/*
 * space_table.c - page tables as objects: linking, unlinking, ending while in use; batches; large
 * pages; spaces of others.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "guest.h"
#include "peer.h"

#define VA 0x0000200000000000ull

static int64_t update(exo_slot space, struct exo_map_op op)
{
	return exo_space_update(space, (uint64_t)&op, 1);
}

#define OP(...) ((struct exo_map_op){ __VA_ARGS__ })

/* An empty space with page tables of levels 3, 2 and 1 ready but not linked. */
struct tree {
	struct guest_frames f;
	exo_slot space, level[4];
};

static bool tree_objects(struct tree *t)
{
	t->space = guest_retype(t->f.slot, t->f.lo, EXO_KIND_SPACE, 0);
	for (unsigned level = 1; level <= 3; level++)
		t->level[level] = guest_retype(t->f.slot, t->f.lo + 4 * level, EXO_KIND_PT, level);
	return t->space && t->level[1] && t->level[2] && t->level[3];
}

static bool tree_make(struct tree *t)
{
	return expect_eq(guest_frames_make(&t->f, 20), 0) && tree_objects(t);
}

static bool tree_link(struct tree *t)
{
	for (unsigned level = 3; level >= 1; level--)
		if (!expect_eq(update(t->space,
				      OP(.op = EXO_LINK, .slot = t->level[level], .va = VA)), 1))
			return false;
	return true;
}

EXO_TEST(tables_are_linked_from_the_top, SHORT)
{
	struct tree t;
	uint64_t pfn = 0;

	must(tree_make(&t));
	pfn = t.f.lo + 16;
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.level[1], .va = VA)), NOTABLE);
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.level[2], .va = VA)), NOTABLE);
	expect_error(update(t.space, OP(.op = EXO_MAP, .slot = t.f.slot, .va = VA, .pfn = pfn,
					.pages = 1,
					.prot = EXO_R_READ)), NOTABLE);
	must(tree_link(&t));
	/* A table hangs in one place only, and one table in a place. */
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.level[1], .va = VA)), MAPPED);
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.level[1], .va = VA + (2 << 20))),
		     MAPPED);
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.level[3],
					.va = VA + (1ull << 40))), MAPPED);
	expect_eq(update(t.space, OP(.op = EXO_MAP, .slot = t.f.slot, .va = VA, .pfn = pfn,
				     .pages = 4, .prot = EXO_R_READ)), 1);
	expect_eq(guest_maps(pfn), 1);
	expect_error(update(t.space, OP(.op = EXO_UNMAP, .va = VA, .pages = 1,
					.prot = EXO_SIZE_2M)), USE);
	expect_error(update(t.space, OP(.op = EXO_MAP, .slot = t.f.slot, .va = VA, .pfn = 0,
					.pages = 1,
					.prot = EXO_R_READ | EXO_SIZE_2M)), RANGE);
}

EXO_TEST(tables_are_unlinked_and_linked_elsewhere, SHORT)
{
	struct tree t;
	uint64_t other = VA + (2 << 20);

	must(tree_make(&t));
	must(tree_link(&t));
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = VA, .prot = 0)), ARG);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = VA, .prot = 4)), ARG);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = other, .prot = 1)), NOTABLE);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = EXO_SELF_VA, .prot = 3)), RANGE);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = ~0ull, .prot = 3)), RANGE);
	expect_eq(update(t.space, OP(.op = EXO_UNLINK, .va = VA, .prot = 1)), 1);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = VA, .prot = 1)), NOTABLE);
	expect_eq(update(t.space, OP(.op = EXO_LINK, .slot = t.level[1], .va = other)), 1);
	expect_eq(update(t.space, OP(.op = EXO_MAP, .slot = t.f.slot, .va = other,
				     .pfn = t.f.lo + 16, .pages = 1, .prot = EXO_R_READ)), 1);
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = t.f.slot, .va = VA)), KIND);
	expect_error(update(t.space, OP(.op = EXO_LINK, .slot = 0, .va = VA)), STALE);
}

EXO_TEST(a_table_may_end_while_in_use, SHORT)
{
	struct guest_frames f;
	uint64_t last = VA + (2 << 20) - 4096;
	struct tree t;

	must(tree_make(&t));
	must_eq(guest_frames_make(&f, 512), 0);
	must(tree_link(&t));
	must_eq(update(t.space, OP(.op = EXO_MAP, .slot = f.slot, .va = VA, .pfn = f.lo,
				   .pages = 512, .prot = GUEST_RW)), 1);
	expect_eq(guest_maps(f.lo), 1);
	/*
	 * The middle one: what is below it hangs on nothing, and nothing below it is mapped any
	 * more.
	 */
	expect_eq(exos_cap_drop(t.level[1]), 0);
	expect_eq(guest_maps(f.lo), 0);
	expect_eq(guest_maps(f.hi - 1), 0);
	expect_error(update(t.space, OP(.op = EXO_MAP, .slot = f.slot, .va = last, .pfn = f.lo,
					.pages = 1,
					.prot = GUEST_RW)), NOTABLE);
	expect_eq(exos_cap_drop(t.level[3]), 0);
	expect_error(update(t.space, OP(.op = EXO_UNLINK, .va = VA, .prot = 2)), NOTABLE);
	expect_eq(exos_cap_drop(t.space), 0);
	expect_eq(exos_cap_drop(t.level[2]), 0);
	expect_eq(guest_held(t.f.lo, t.f.hi, exo_slot_sid(t.f.slot)), 20);
}

EXO_TEST(a_batch_tells_how_far_it_came, SHORT)
{
	exo_slot space = guest_claim("space");
	static struct exo_map_op ops[EXO_BATCH_MAX + 1];
	struct guest_frames f;

	must_eq(guest_frames_make(&f, EXO_BATCH_MAX + 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, EXO_BATCH_MAX + 1), 0);
	for (unsigned i = 0; i <= EXO_BATCH_MAX; i++)
		ops[i] = OP(.op = EXO_MAP, .slot = f.slot, .va = VA + i * 4096ull, .pfn = f.lo + i,
			    .pages = 1,
			    .prot = GUEST_RW);
	expect_refused(exo_space_update(space, (uint64_t)ops, EXO_BATCH_MAX + 1));
	expect_refused(exo_space_update(space, (uint64_t)ops, ~0ull));
	expect_eq(exos_space_entry(VA, NULL), 0);
	ops[5].pfn = f.hi;
	expect_eq(exo_space_update(space, (uint64_t)ops, EXO_BATCH_MAX), 5);
	expect_eq(exos_space_frame(VA + 4 * 4096), f.lo + 4);
	expect_eq(exos_space_entry(VA + 5 * 4096, NULL), 0);
	expect_error(exo_space_update(space, (uint64_t)(ops + 5), 3), RANGE);
	expect_eq(exo_space_update(space, (uint64_t)(ops + 6), 58), 58);
	expect_eq(exo_space_update(space, (uint64_t)ops, 0), 0);
	expect_eq(exos_space_unmap(&exos_space_own, VA, EXO_BATCH_MAX), 0);
}

EXO_TEST(a_batch_in_bad_memory_is_a_fault_error, SHORT)
{
	static struct exo_map_op op;
	exo_slot space = guest_claim("space");
	uint64_t bad[] = { 0, 0x10, VA, 0x7ffffffffff0, 0x800000000000, 0xffff800000000000,
			   0xffffffff80000000, ~0ull, ~0ull - 31, 0xfee00000 };

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		expect_error(exo_space_update(space, bad[i], 1), FAULT);
		expect_error(exo_space_update(space, bad[i], EXO_BATCH_MAX), FAULT);
	}
	op = OP(.op = EXO_UNMAP, .va = VA, .pages = 1);
	expect_eq(exo_space_update(space, (uint64_t)&op, 1), 1);
}

EXO_TEST(large_pages, SHORT)
{
	uint64_t pfn = 0, size = 2 << 20;
	exo_slot claim, mine;

	must_eq(exos_frame_alloc_aligned(512, 512, &pfn, &claim), 0);
	must((mine = guest_narrow(claim, pfn, pfn + 512, GUEST_R_FRAMES)) != 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 512), 0);
	/*
	 * A table of 4 KiB pages hangs there: no large page beside it; 2 MiB further there is
	 * room.
	 */
	expect_error(update(guest_claim("space"),
			    OP(.op = EXO_MAP, .slot = mine, .va = VA, .pfn = pfn,
		     .pages = 1, .prot = GUEST_RW | EXO_SIZE_2M)), MAPPED);
	expect_error(update(guest_claim("space"), OP(.op = EXO_MAP, .slot = mine, .va = VA + size,
		     .pfn = pfn + 1, .pages = 1, .prot = GUEST_RW | EXO_SIZE_2M)), ARG);
	expect_error(update(guest_claim("space"),
			    OP(.op = EXO_MAP, .slot = mine, .va = VA + size + 4096,
		     .pfn = pfn, .pages = 1, .prot = GUEST_RW | EXO_SIZE_2M)), ARG);
	expect_error(update(guest_claim("space"), OP(.op = EXO_MAP, .slot = mine, .va = VA + size,
		     .pfn = pfn, .pages = 2, .prot = GUEST_RW | EXO_SIZE_2M)), RANGE);
	must_eq(update(guest_claim("space"),
		       OP(.op = EXO_MAP, .slot = mine, .va = VA + size, .pfn = pfn,
		       .pages = 1, .prot = GUEST_RW | EXO_SIZE_2M)), 1);
	expect_eq(guest_maps(pfn + 511), 1);
	*(volatile uint64_t *)(VA + size + 511 * 4096ull) = 99;
	expect_error(update(guest_claim("space"), OP(.op = EXO_MAP, .slot = mine, .va = VA + size,
		     .pfn = pfn, .pages = 1, .prot = GUEST_RW)), MAPPED);
	expect_refused(update(guest_claim("space"),
			      OP(.op = EXO_UNMAP, .va = VA + size, .pages = 1)));
	expect_eq(*(volatile uint64_t *)(VA + size + 511 * 4096ull), 99);
	expect_eq(update(guest_claim("space"), OP(.op = EXO_UNMAP, .va = VA + size, .pages = 1,
		  .prot = EXO_SIZE_2M)), 1);
	expect_eq(guest_maps(pfn + 511), 0);
	expect_eq(exos_cap_drop(mine), 0);
}

EXO_TEST(own_tables_are_readable_at_the_self_slot, SHORT)
{
	struct guest_frames f;
	uint64_t *entry = (uint64_t *)(EXO_SELF_VA + (VA >> 12) * 8);

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_map(&exos_space_own, VA, f.slot, f.lo, 1, EXO_R_READ), 0);
	expect_eq((*entry >> 12) & 0xffffffffff, f.lo);
	expect_eq(*entry & 7, 5);
	expect_eq(exos_space_unmap(&exos_space_own, VA, 1), 0);
	expect_eq(*entry, 0);
}

EXO_TEST(a_space_that_ends_stops_who_runs_in_it, SHORT)
{
	struct peer peer;
	struct tree t;

	must(tree_make(&t));
	must_eq(peer_make(&peer), 0);
	/* Started in an empty space with no time slot: it never gets far enough to fault. */
	must_eq(peer_start(&peer, NULL, t.space), 0);
	expect_eq(peer.page->stop_reason, EXO_STOP_RUNS);
	expect_eq(peer.page->space_pfn, t.f.lo);
	expect_eq(exos_cap_drop(t.space), 0);
	expect_eq(peer.page->stop_reason, EXO_STOP_SPACE);
	expect_eq(peer.page->space_pfn, 0);
	expect_refused(exo_env_control(peer.env, EXO_ENV_START, (uint64_t)peer_entry, 0));
	expect_eq(peer_start(&peer, NULL, 0), 0);
	peer_end(&peer);
}

#define PAINT 0x0123456789abcdefull

/* Fill 20 frames with a word, or count what is not 0 in the first 16 and not that word behind. */
static uint64_t paint(const struct guest_frames *f, bool fill)
{
	uint64_t *words = exos_space_window(f->slot, f->lo, 20, GUEST_RW, NULL), others = 0;

	if (!expect(words != NULL))
		return ~0ull;
	for (unsigned i = 0; i < 20 * 512; i++)
		if (fill)
			words[i] = PAINT;
		else
			others += words[i] != (i < 16 * 512 ? 0 : PAINT);
	exos_space_window_end(words, 20);
	return others;
}

/* Use a tree of tables in every way, and take it back. */
static void tree_use(struct tree *t)
{
	struct exo_map_op map = { .op = EXO_MAP, .va = VA, .pages = 1, .prot = EXO_R_READ };

	must(tree_objects(t) && tree_link(t));
	/* One by one and as a range; some are unmapped before the tables end, each way. */
	map.slot = t->f.slot;
	map.pfn = t->f.lo + 16;
	for (unsigned i = 0; i < 5; i++, map.va += 3 * EXO_PAGE_SIZE)
		must_eq(update(t->space, map), 1);
	map.pages = 4;
	map.va = VA + (512 - 4) * EXO_PAGE_SIZE;
	must_eq(update(t->space, map), 1);
	expect_eq(update(t->space,
			 OP(.op = EXO_UNMAP, .va = VA + 3 * EXO_PAGE_SIZE, .pages = 1)), 1);
	expect_eq(update(t->space,
			 OP(.op = EXO_UNMAP, .va = VA + 9 * EXO_PAGE_SIZE, .pages = 500)), 1);
	expect_eq(guest_maps(t->f.lo + 16), 2);
	expect_eq(exos_cap_drop(t->level[1]), 0);
	expect_eq(guest_maps(t->f.lo + 16), 0);
	expect_eq(exos_cap_revoke(t->f.slot), 0);
}

EXO_TEST(tables_leave_zeroes, SHORT)
{
	struct tree t;

	must_eq(guest_frames_make(&t.f, 20), 0);
	for (unsigned round = 0; round < 3; round++) {
		expect_eq(paint(&t.f, true), 0);
		tree_use(&t);
		/* Again, of frames that nobody touched since. */
		if (round > 0)
			tree_use(&t);
		expect_eq(paint(&t.f, false), 0);
	}
}
