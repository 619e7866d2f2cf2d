/* SPDX-License-Identifier: MIT */
/*
 * spaces.c - rows about page tables: protecting, trapping, demand-zero, mapping.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/upcall.h>

#include "bench.h"

#define PAGES 200u              /* of the area that all rows use */
#define MANY  100u
#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)
#define WRITABLE 0x2ul          /* of a page-table entry (SDM 3A 4.5) */

static uint64_t area, pfn;
static exo_slot claim;
static struct exo_map_op ops[2];        /* take the right to write, and give it back */
static int64_t sum;             /* of the results of a run */

static const char *area_begin(void)
{
	int err;

	if (exos_frame_alloc(PAGES, &pfn, &claim) < 0)
		return "no memory";
	area = (uintptr_t)exos_space_window(claim, pfn, PAGES, READ_WRITE, &err);
	return area ? NULL : "the area could not be mapped";
}

static void area_end(void)
{
	exos_space_window_end((void *)area, PAGES);
	exos_frame_free(pfn, PAGES);
}

static bool area_writable(uint64_t page)
{
	return exos_space_entry(area + page * EXO_PAGE_SIZE, NULL) & WRITABLE;
}

static const char *protect_begin(uint32_t pages)
{
	const char *why = area_begin();

	if (why)
		return why;
	ops[0] = (struct exo_map_op){
		.va = area, .pages = pages, .op = EXO_PROTECT, .prot = EXO_R_READ,
	};
	ops[1] = ops[0];
	ops[1].prot = READ_WRITE;
	if (exo_space_update(exos_space_own.slot, (uintptr_t)&ops[0], 1) != 1 ||
	    area_writable(0) || area_writable(pages - 1) || !area_writable(pages))
		return "the right to write was not taken from these pages alone";
	return NULL;
}

static const char *prot1_begin(void)
{
	return protect_begin(1);
}

static const char *prot100_begin(void)
{
	return protect_begin(MANY);
}

static void protect_run(uint32_t rounds)
{
	uint64_t own = exos_space_own.slot;

	sum = 0;
	for (uint32_t i = rounds; i; i--)
		sum += exo_space_update(own, (uintptr_t)&ops[i & 1], 1);
}

static void protect_reset(uint32_t rounds)
{
	(void)rounds;
	exo_space_update(exos_space_own.slot, (uintptr_t)&ops[0], 1);
}

/* The last round gives the right back. */
static const char *protect_check(uint32_t rounds)
{
	if (sum != (int64_t)rounds)
		return "a change was refused";
	if (!area_writable(0) || !area_writable(ops[0].pages - 1))
		return "the rights are not as set";
	return NULL;
}

static const struct bench_row prot1 = {
	.name = "prot1", .must = 220, .stretch = 140, .rounds = 30, .share = 1,
	.begin = prot1_begin, .reset = protect_reset, .run = protect_run, .check = protect_check,
	.end = area_end,
};
static const struct bench_row prot100 = {
	.name = "prot100_per_page", .must = 40, .stretch = 20, .rounds = 4, .share = MANY,
	.begin = prot100_begin, .reset = protect_reset, .run = protect_run, .check = protect_check,
	.end = area_end,
};

/* trap + unprot + resume: stores to pages that may be read; the handler gives the right back. */
static uint64_t traps;

static int unprotect(struct exo_context *context, void *argument)
{
	struct exo_map_op op = {
		.va = round_down(context->cr2, EXO_PAGE_SIZE), .pages = 1, .op = EXO_PROTECT,
		.prot = READ_WRITE,
	};

	(void)argument;
	traps++;
	return exo_space_update(exos_space_own.slot, (uintptr_t)&op, 1) == 1 ? 0 : -EXO_E_RIGHTS;
}

static const char *trap_begin(void)
{
	const char *why = area_begin();

	if (!why)
		exos_upcall_handle(EXO_TRAP_PAGE_FAULT, unprotect, NULL);
	return why;
}

static void trap_end(void)
{
	exos_upcall_handle(EXO_TRAP_PAGE_FAULT, NULL, NULL);
	area_end();
}

static void trap_reset(uint32_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++)
		*(volatile uint64_t *)(area + i * EXO_PAGE_SIZE) = 0;
	exos_space_protect(&exos_space_own, area, PAGES, EXO_R_READ);
	traps = 0;
}

static void trap_run(uint32_t rounds)
{
	bench_touch((void *)area, rounds);
}

static const char *trap_check(uint32_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++)
		if (*(volatile uint64_t *)(area + i * EXO_PAGE_SIZE) != 1)
			return "a store is missing";
	exos_space_protect(&exos_space_own, area, PAGES, READ_WRITE);
	return traps == rounds ? NULL : "not one trap a page";
}

static const struct bench_row trap_unprot = {
	.name = "trap_unprot_resume", .must = 500, .stretch = 350, .rounds = 30, .share = 1,
	.begin = trap_begin, .reset = trap_reset, .run = trap_run, .check = trap_check,
	.end = trap_end,
};

/* The default pager; page tables are there before. */
static struct exos_region region;

static const char *zero_begin(void)
{
	if (exos_region_make(&region, PAGES * EXO_PAGE_SIZE, "measured") < 0)
		return "no region";
	if (exos_region_fill(&region, region.lo, PAGES) < 0)
		return "no memory";
	bench_touch((void *)region.lo, PAGES);
	return NULL;
}

static void zero_reset(uint32_t rounds)
{
	(void)rounds;
	exos_region_discard(&region, region.lo, PAGES);
}

static void zero_run(uint32_t rounds)
{
	bench_touch((void *)region.lo, rounds);
}

static const char *zero_check(uint32_t rounds)
{
	if (region.pages != rounds)
		return "not one frame a page";
	for (uint64_t i = 0; i < rounds; i++) {
		const uint64_t *word = (const uint64_t *)(region.lo + i * EXO_PAGE_SIZE);

		if (word[0] != 1)
			return "a store is missing";
		for (unsigned k = 1; k < EXO_PAGE_SIZE / 8; k++)
			if (word[k])
				return "a page was not zeroed";
	}
	return NULL;
}

static void zero_end(void)
{
	exos_region_unmake(&region);
}

static const struct bench_row demand_zero = {
	.name = "demand_zero", .must = 1000, .stretch = 850, .rounds = 12, .share = 1,
	.begin = zero_begin, .reset = zero_reset, .run = zero_run, .check = zero_check,
	.end = zero_end,
};

/* One frame that is already ours, at an address that has its page table. */
static uint64_t window_va;

static const char *map_begin(void)
{
	const char *why = area_begin();

	if (why)
		return why;
	exos_space_unmap(&exos_space_own, area + (PAGES - 1) * EXO_PAGE_SIZE, 1);
	window_va = area + (PAGES - 1) * EXO_PAGE_SIZE;
	if (exos_space_map(&exos_space_own, window_va, claim, pfn, 1, READ_WRITE) < 0 ||
	    exos_space_frame(window_va) != pfn)
		return "the frame is not there after mapping";
	if (exos_space_unmap(&exos_space_own, window_va, 1) < 0 || exos_space_frame(window_va))
		return "the frame is there after unmapping";
	return NULL;
}

static void map_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		sum += exos_space_map(&exos_space_own, window_va, claim, pfn, 1, READ_WRITE);
		sum += exos_space_unmap(&exos_space_own, window_va, 1);
	}
}

static const char *map_check(uint32_t rounds)
{
	(void)rounds;
	return sum ? "a change was refused" : NULL;
}

static const struct bench_row map_unmap = {
	.name = "map_unmap", .must = 800, .stretch = 600, .rounds = 6, .share = 1,
	.begin = map_begin, .run = map_run, .check = map_check, .end = area_end,
};

BENCH_ROW(prot1);
BENCH_ROW(prot100);
BENCH_ROW(trap_unprot);
BENCH_ROW(demand_zero);
BENCH_ROW(map_unmap);
