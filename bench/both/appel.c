/* SPDX-License-Identifier: MIT */
/*
 * appel.c - the primitives that Appel and Li found programs to need of virtual memory.
 *
 * prot100 and unprot100: 100 pages in one go, as a whole.  appel1: a store to a protected page
 * whose handler gives it the right to write and takes that of another page.  appel2: 100 pages are
 * protected in one go, then each is stored to, in an order that is far from theirs, and the handler
 * gives it the right; for one page.  dirty: was a page written?
 */
#include "row.h"
#include "system.h"

#define PAGES 100u
#define RUNS  8u                /* times PAGES that the longest loop of prot100 takes */
#define STEP  37u               /* prime to PAGES: i * STEP % PAGES visits them all */

static char *area;
/* Written by handlers of faults, which the compiler does not see called. */
static volatile uint32_t traps;
static char *volatile unlocked;         /* appel1: the page that may be written */
static volatile int refused;
static uint32_t stores;

static char *page_at(uint32_t i)
{
	return area + (size_t)(i * STEP % PAGES) * SYSTEM_PAGE;
}

static const char *area_begin(void)
{
	area = system_pages(RUNS * PAGES);
	unlocked = NULL;
	return area ? NULL : "no memory";
}

static void area_end(void)
{
	system_store_handle(NULL);
	system_protect(area, RUNS * PAGES, true);
	system_pages_end(area, RUNS * PAGES);
}

static void counts_reset(uint32_t rounds)
{
	(void)rounds;
	traps = stores = 0;
	refused = 0;
}

/* Each round has pages of its own: to protect twice would be to do nothing the second time. */
static void protect_run(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		refused |= system_protect(area + (size_t)i * PAGES * SYSTEM_PAGE, PAGES, false);
}

static void unprotect_run(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		refused |= system_protect(area + (size_t)i * PAGES * SYSTEM_PAGE, PAGES, true);
}

static void protect_reset(uint32_t rounds)
{
	counts_reset(rounds);
	refused = system_protect(area, RUNS * PAGES, true);
}

static void unprotect_reset(uint32_t rounds)
{
	counts_reset(rounds);
	refused = system_protect(area, RUNS * PAGES, false);
}

static void count_trap(char *at)
{
	traps++;
	refused |= system_protect(at, 1, true);
}

/* Store to the first page of each hundred: those that are protected trap. */
static const char *traps_check(uint32_t expected)
{
	system_store_handle(count_trap);
	for (uint32_t i = 0; i < RUNS; i++)
		*(volatile char *)(area + (size_t)i * PAGES * SYSTEM_PAGE) = 1;
	system_store_handle(NULL);
	return refused || traps != expected ? "the rights are not as set" : NULL;
}

static const char *protect_check(uint32_t rounds)
{
	return traps_check(rounds);
}

static const char *unprotect_check(uint32_t rounds)
{
	return traps_check(RUNS - rounds);
}

/* appel1 */
static void swap_rights(char *at)
{
	traps++;
	refused |= system_protect(at, 1, true);
	if (unlocked)
		refused |= system_protect(unlocked, 1, false);
	unlocked = at;
}

static void appel1_reset(uint32_t rounds)
{
	counts_reset(rounds);
	refused = system_protect(area, PAGES, false);
	unlocked = NULL;
	system_store_handle(swap_rights);
	*(volatile char *)page_at(0) = 1;       /* from now on one page may be written */
	traps = 0;
}

static void appel1_run(uint32_t rounds)
{
	for (uint32_t i = 1; i <= rounds; i++)
		(*(volatile char *)page_at(i))++;
	stores = rounds;
}

static const char *appel_check(uint32_t rounds)
{
	(void)rounds;
	return refused || traps != stores ? "not one trap a store" : NULL;
}

/* appel2 */
static void appel2_reset(uint32_t rounds)
{
	counts_reset(rounds);
	refused = system_protect(area, PAGES, true);
	system_store_handle(count_trap);
}

static void appel2_run(uint32_t rounds)
{
	for (uint32_t r = rounds; r; r--) {
		refused |= system_protect(area, PAGES, false);
		for (uint32_t i = 0; i < PAGES; i++)
			(*(volatile char *)page_at(i))++;
	}
	stores = rounds * PAGES;
}

/* dirty: each other page was stored to. */
static uint32_t found;

static void dirty_reset(uint32_t rounds)
{
	(void)rounds;
	system_clean(area, PAGES);
	for (uint32_t i = 0; i < PAGES; i += 2)
		*(volatile char *)page_at(i) = 1;
}

static const char *dirty_begin(void)
{
	const char *why = area_begin();

	return why || system_clean(area, PAGES) ? why : BENCH_SKIP "this system cannot tell";
}

static void dirty_run(uint32_t rounds)
{
	found = 0;
	for (uint32_t i = 1; i <= rounds; i++)
		found += system_dirty(page_at(i));
}

static const char *dirty_check(uint32_t rounds)
{
	return found == rounds / 2 ? NULL : "other pages are dirty than were stored to";
}

static const struct bench_row dirty = {
	.name = "dirty", .rounds = 50, .share = 1, .begin = dirty_begin, .reset = dirty_reset,
	.run = dirty_run, .check = dirty_check, .end = area_end,
};
BENCH_ROW(dirty);

#define ROW(id, count, per, which, what_reset, what_run, what_check) \
	static const struct bench_row id = { \
		.name = #id, .rounds = count, .share = per, .flags = which, .begin = area_begin, \
		.reset = what_reset, .run = what_run, .check = what_check, .end = area_end, \
	}; \
	BENCH_ROW(id)
ROW(prot100, 4, 1, 0, protect_reset, protect_run, protect_check);
ROW(unprot100, 4, 1, 0, unprotect_reset, unprotect_run, unprotect_check);
ROW(appel1, 20, 1, 0, appel1_reset, appel1_run, appel_check);
ROW(appel2, 1, PAGES, BENCH_LONG, appel2_reset, appel2_run, appel_check);
