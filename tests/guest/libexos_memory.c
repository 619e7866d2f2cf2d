/* SPDX-License-Identifier: MIT */
/*
 * libexos_memory.c - the library's memory inside exo: frames, slots, spaces, regions, heap.
 *
 * The engines are tested against models on the host; here is what needs a kernel.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/pager.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>

#include "guest.h"

EXO_TEST(frames_come_and_go, SHORT)
{
	struct exos_frame_stats before, after;
	uint64_t one, run, aligned;
	exo_slot claim;

	exos_frame_stats(&before);
	must_eq(exos_frame_alloc(1, &one, &claim), 0);
	expect_eq(exos_frame_claim(one), claim);
	must_eq(exos_frame_alloc(100, &run, &claim), 0);
	expect(exos_cap_look(claim)->lo <= run && run + 100 <= exos_cap_look(claim)->hi);
	must_eq(exos_frame_alloc_aligned(4, 64, &aligned, &claim), 0);
	expect_eq(aligned % 64, 0);
	expect_error(exos_frame_alloc(1ul << 40, &run, &claim), ROOM);
	expect_error(exos_frame_alloc(0, &run, &claim), ARG);
	exos_frame_free(one, 1);
	exos_frame_free(aligned, 4);
	exos_frame_free(run, 100);
	exos_frame_stats(&after);
	expect_eq(after.free, before.free);
	expect_eq(after.total, before.total);
}

EXO_TEST(the_allocator_takes_no_range_twice, SHORT)
{
	struct guest_frames frames;
	exo_slot own = exos_grant("memory", 0)->slot;

	must_eq(guest_frames_make(&frames, 200), 0);
	/* These frames are the allocator's, handed out. */
	expect_error(exos_frame_add(frames.slot, frames.lo, frames.hi), ARG);
	expect_error(exos_frame_add(frames.slot, frames.hi, frames.lo), ARG);
	expect_error(exos_frame_remove(own), BUSY);
	expect_error(exos_frame_remove(frames.slot), STALE);
	expect_eq(exos_frame_claim(frames.lo + 7), own);
	guest_frames_end(&frames);
}

EXO_TEST(the_table_grows_by_itself, SHORT)
{
	static exo_sid sid[1000];
	unsigned frames = exos_slot_frames();
	exo_slot made = 0, from = exos_grant("memory", 0)->slot;

	for (unsigned i = 0; i < 1000; i++) {
		must((sid[i] = exos_slot_alloc()) != 0);
		expect(exos_cap_at(sid[i]) && exos_cap_at(sid[i])->kind == EXO_KIND_NONE);
	}
	expect(exos_slot_frames() >= frames + 1000 / EXO_SLOTS_PER_FRAME);
	for (unsigned i = 0; i < 1000; i++)
		exos_slot_free(sid[i]);
	/* A slot of a frame that was added works as any other. */
	must((sid[0] = exos_slot_alloc_run(64)) != 0);
	expect_eq(sid[0] % 64, 0);
	exos_slot_free_run(sid[0], 64);
	expect_error(exos_cap_narrow(from, 1, 0, EXO_R_READ, &made), RANGE);
	expect_eq(made, 0);
}

#define CLAIMS_LEAST 100000u
#define CLAIMS_MOST  1000000u
#define GUEST_SHARED (EXO_R_READ | EXO_SHARE)

/*
 * Claims that fit into the memory: a table frame holds 64, and some of them are directories.  All
 * of them only on one machine of the test's, for the time it takes.
 */
static uint64_t claims_possible(void)
{
	bool all = exos_machine()->cpus == 1 && !guest_icount();
	struct exos_frame_stats stats;

	exos_frame_stats(&stats);
	return min_u64(all ? CLAIMS_MOST : 2 * CLAIMS_LEAST,
		       (stats.free - stats.free / 8) * EXO_SLOTS_PER_FRAME);
}

/* How many tables lie around the claim of the table that a slot is in, by the kernel's count. */
static uint32_t table_depth(exo_slot slot)
{
	exo_sid node = guest_holder(exo_slot_sid(slot) / EXO_SLOTS_PER_FRAME);

	return exos_cap_at(node) ? exos_cap_at(node)->unit : ~0u;
}

/* Each is used, too: a claim derived from the first is in its slot. */
EXO_TEST(a_table_of_very_many_slots_does_not_nest_deep, HUGE)
{
	const uint32_t start = table_depth(exos_grant("memory", 0)->slot);
	uint64_t count = claims_possible(), made = 0;
	struct guest_frames f;
	uint32_t depth, deepest = 0;
	exo_slot share = 0;

	must_eq(guest_frames_make(&f, 1), 0);
	must(count >= CLAIMS_LEAST);
	for (; made < count && !guest_failures(); made++) {
		if (!expect_eq(exos_cap_narrow(f.slot, f.lo, f.hi, GUEST_SHARED, &share), 0))
			break;
		depth = table_depth(share) - start;
		deepest = depth > deepest ? depth : deepest;
	}
	printf("%lu claims in %u table frames, %u deep\n", made, exos_slot_frames(), deepest);
	expect(deepest > 0 && deepest <= 10);
	expect_eq(exos_cap_look(share) ? exos_cap_look(share)->kind : 0, EXO_KIND_FRAME);
	expect_eq(exos_cap_revoke(f.slot), 0);
	/* A sweep frees them all, but leaves alone what is set aside: the table still grows. */
	expect_eq(exos_slot_sweep(), made);
	for (uint64_t i = 0; i < 2 * EXO_SLOTS_PER_FRAME * EXO_SLOTS_PER_FRAME; i++)
		must(exos_slot_alloc() != 0);
	guest_frames_end(&f);
}

EXO_TEST(page_tables_are_made_when_missed, SHORT)
{
	static const uint64_t far[] = { 0x7000000000ul, 0x70001ff000ul, 0x600000000000ul };
	uint64_t pfn;
	exo_slot claim;

	must_eq(exos_frame_alloc(4, &pfn, &claim), 0);
	for (unsigned i = 0; i < 3; i++) {
		must_eq(exos_space_map(&exos_space_own, far[i], claim, pfn, 4, GUEST_RW), 0);
		expect_eq(exos_space_frame(far[i] + 0x3123), pfn + 3);
		*(volatile uint64_t *)(far[i] + 0x2000) = i + 1;
	}
	expect_eq(*(volatile uint64_t *)(far[0] + 0x2000), 3);
	expect_error(exos_space_map(&exos_space_own, far[0], claim, pfn, 1, GUEST_RW), MAPPED);
	expect_eq(exos_space_protect(&exos_space_own, far[1], 4, EXO_R_READ), 0);
	expect(!(exos_space_entry(far[1] + 0x2000, NULL) & 2));
	for (unsigned i = 0; i < 3; i++) {
		expect_eq(exos_space_unmap(&exos_space_own, far[i], 4), 0);
		expect_eq(exos_space_frame(far[i]), 0);
	}
	expect_eq(exos_space_unmap(&exos_space_own, 0x500000000000ul, 600), 0);
	exos_frame_free(pfn, 4);
}

EXO_TEST(demand_zero_pages_come_zeroed_and_go, SHORT)
{
	struct exos_frame_stats before, after;
	struct exos_region region;

	must_eq(exos_region_make(&region, 64 * EXO_PAGE_SIZE, "test"), 0);
	*(volatile uint64_t *)region.lo = 1;    /* its page tables are there now */
	exos_frame_stats(&before);
	for (uint64_t va = region.lo + 8; va < region.hi; va += EXO_PAGE_SIZE) {
		expect_eq(*(volatile uint64_t *)va, 0);
		*(volatile uint64_t *)va = ~0ul;
	}
	expect_eq(region.pages, 64);
	exos_frame_stats(&after);
	expect_eq(before.free - after.free, 63);
	exos_region_discard(&region, region.lo, 64);
	expect_eq(region.pages, 0);
	exos_frame_stats(&after);
	expect_eq(after.free, before.free + 1);
	expect_eq(*(volatile uint64_t *)(region.lo + 8), 0);
	exos_region_unmake(&region);
	expect(!exos_region_find(region.lo));
}

static unsigned own_faults;

/* A pager of a program: the page shows its own address. */
static int own_fault(struct exos_region *region, struct exos_fault *fault)
{
	int err = exos_pager_zero.fault(region, fault);

	if (err == 0)
		*(uint64_t *)(fault->va & ~(EXO_PAGE_SIZE - 1)) = fault->va;
	own_faults++;
	return err;
}

EXO_TEST(a_program_hands_in_its_own_pager, SHORT)
{
	static const struct exos_pager own = { "own", own_fault, NULL };
	static struct exos_region region, second;

	must_eq(exos_region_make(&region, 8 * EXO_PAGE_SIZE, "own"), 0);
	region.pager = &own;
	for (uint64_t va = region.lo; va < region.hi; va += EXO_PAGE_SIZE)
		expect_eq(*(volatile uint64_t *)va, va);
	expect_eq(own_faults, 8);
	second = region;
	expect_error(exos_region_add(&second), MAPPED);
	second.hi = second.lo;
	expect_error(exos_region_add(&second), ARG);
	expect(exos_region_find(region.lo + 5) == &region);
}

EXO_TEST(the_heap_keeps_what_is_in_it, LONG)
{
	static struct {
		unsigned char *at;
		uint64_t bytes;
		unsigned char fill;
	} live[200];

	for (unsigned n = 0; n < 20000; n++) {
		uint64_t i = guest_below(200), bytes = guest_below(guest_below(20) ? 500 : 40000);

		for (uint64_t k = 0; k < live[i].bytes; k += 61)
			must_eq(live[i].at[k], live[i].fill);
		live[i].at = realloc(live[i].at, bytes + 1);
		must(live[i].at != NULL);
		live[i].bytes = bytes;
		live[i].fill = (unsigned char)n;
		memset(live[i].at, live[i].fill, bytes);
	}
	expect_eq(exos_heap_check(exos_heap_own()), 0);
	for (unsigned i = 0; i < 200; i++)
		free(live[i].at);
	expect_eq(exos_heap_own()->used_bytes, 0);
	expect(calloc(1ul << 40, 1ul << 40) == NULL);
}

/* Each call looks into the frame of its caller, so that no compiler makes a loop of it. */
__attribute__((noinline)) static uint64_t depth(uint64_t n, const volatile char *above)
{
	volatile char room[300];

	room[0] = (char)n;
	if (n == 0)
		return 1;
	return depth(n - 1, room) + (uint64_t)(above[0] - (char)(n + 1));
}

EXO_TEST(the_stack_grows_by_itself, SHORT)
{
	uint64_t pages = exos_region_find(EXOS_STACK_HI - 1)->pages;
	volatile char top = (char)4001;

	expect_eq(depth(4000, &top), 1);
	expect(exos_region_find(EXOS_STACK_HI - 1)->pages > pages + 200);
}
