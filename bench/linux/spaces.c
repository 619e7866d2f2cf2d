/* SPDX-License-Identifier: MIT */
/*
 * spaces.c - rows about page tables by mprotect, SIGSEGV and mmap; the jobs of ../spaces.c.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

#define PAGES 200u
#define MANY  100u

static char *area;
static uint32_t traps, pages;
static int64_t sum;

static const char *area_begin(void)
{
	area = system_pages(PAGES);
	return area ? NULL : "no memory";
}

static void area_end(void)
{
	system_pages_end(area, PAGES);
}

static const char *one_begin(void) { pages = 1; return area_begin(); }
static const char *many_begin(void) { pages = MANY; return area_begin(); }

static void protect_reset(uint32_t rounds)
{
	(void)rounds;
	system_protect(area, pages, false);
}

/* As on exo: the right to write is given and taken in turns; the last round gives it. */
static void protect_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = rounds; i; i--)
		sum += system_protect(area, pages, i & 1);
}

static const char *protect_check(uint32_t rounds)
{
	(void)rounds;
	*(volatile char *)area = 1;
	return sum ? "a change was refused" : NULL;
}

static const struct bench_row prot1 = {
	.name = "prot1", .way = "mprotect", .rounds = 30, .share = 1, .begin = one_begin,
	.reset = protect_reset, .run = protect_run, .check = protect_check, .end = area_end,
};
static const struct bench_row prot100 = {
	.name = "prot100_per_page", .way = "mprotect", .rounds = 4, .share = MANY,
	.begin = many_begin, .reset = protect_reset, .run = protect_run, .check = protect_check,
	.end = area_end,
};
BENCH_ROW(prot1);
BENCH_ROW(prot100);

static void unprotect(char *at)
{
	traps++;
	system_protect(at, 1, true);
}

static const char *trap_begin(void)
{
	system_store_handle(unprotect);
	return area_begin();
}

static void trap_end(void)
{
	system_store_handle(NULL);
	area_end();
}

static void trap_reset(uint32_t rounds)
{
	(void)rounds;
	system_protect(area, PAGES, true);
	memset(area, 0, PAGES * SYSTEM_PAGE);
	system_protect(area, PAGES, false);
	traps = 0;
}

static void trap_run(uint32_t rounds)
{
	bench_touch(area, rounds);
}

static const char *trap_check(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		if (area[i * SYSTEM_PAGE] != 1)
			return "a store is missing";
	return traps == rounds ? NULL : "not one trap a page";
}

static const struct bench_row trap_unprot = {
	.name = "trap_unprot_resume", .way = "SIGSEGV and mprotect", .rounds = 30, .share = 1,
	.begin = trap_begin, .reset = trap_reset, .run = trap_run, .check = trap_check,
	.end = trap_end,
};
BENCH_ROW(trap_unprot);

static void zero_reset(uint32_t rounds)
{
	(void)rounds;
	madvise(area, PAGES * SYSTEM_PAGE, MADV_DONTNEED);
}

static const char *zero_check(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		if (area[i * SYSTEM_PAGE] != 1 || area[i * SYSTEM_PAGE + 8])
			return "a page is not as it should be";
	return NULL;
}

static const struct bench_row demand_zero = {
	.name = "demand_zero", .way = "private anonymous mmap", .rounds = 12, .share = 1,
	.begin = area_begin, .reset = zero_reset, .run = trap_run, .check = zero_check,
	.end = area_end,
};
BENCH_ROW(demand_zero);

/* exo maps a frame that is there; here a page of a file in memory is the like. */
static int shared;

static const char *map_begin(void)
{
	shared = memfd_create("bench", 0);
	return shared < 0 || ftruncate(shared, SYSTEM_PAGE) ? "no file in memory" : NULL;
}

static void map_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = rounds; i; i--) {
		char *at = mmap(NULL, SYSTEM_PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_POPULATE, shared, 0);

		sum += at == MAP_FAILED || munmap(at, SYSTEM_PAGE);
	}
}

static const char *sum_check(uint32_t rounds)
{
	(void)rounds;
	return sum ? "a change was refused" : NULL;
}

static void map_end(void)
{
	close(shared);
}

static const struct bench_row map_unmap = {
	.name = "map_unmap", .way = "mmap, populated, and munmap of a memfd", .rounds = 6,
	.share = 1, .begin = map_begin, .run = map_run, .check = sum_check, .end = map_end,
};
BENCH_ROW(map_unmap);
