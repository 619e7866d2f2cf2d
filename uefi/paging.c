/* SPDX-License-Identifier: MIT */
/*
 * paging.c - the page tables that the kernel is entered on.
 *
 * Invariant: everything in the direct map is readable, writable and not executable; a table entry
 * once written is not changed.  Knows no firmware: the pool is given.
 */
#include "paging.h"

#include <base/string.h>
#include <base/util.h>

#define PRESENT   (1ul << 0)
#define LARGE     (1ul << 7)
#define ADDRESS   0x000ffffffffff000ul
#define SIZE_2M   (1ul << 21)
#define SIZE_1G   (1ul << 30)
#define FOUR_GIB  (4ul << 30)

/* RAM that the direct map shows above 4 GiB: not the firmware's. */
static bool is_direct(const struct exo_boot_range *r)
{
	return r->kind != EXO_BOOT_FIRMWARE && r->hi > FOUR_GIB >> 12;
}

/* [*lo, *hi) of the direct map for a range above 4 GiB, in bytes. */
static void direct_bounds(const struct exo_boot_range *r, uint64_t *lo, uint64_t *hi)
{
	*lo = max_u64(round_down(r->lo << 12, SIZE_2M), FOUR_GIB);
	*hi = round_up(r->hi << 12, SIZE_2M);
}

uint64_t paging_need(const struct exo_boot_range *range, uint32_t ranges, uint64_t kernel_pages,
		     bool giga)
{
	/* PML4; PDPT and PDs of the low 4 GiB; PDPT and PDs of the kernel; identity page */
	uint64_t need = 1 + 1 + 4 + 1 + 1 + (kernel_pages / 512 + 2) + 3;

	for (uint32_t i = 0; i < ranges; i++) {
		uint64_t lo, hi, gigs;

		if (!is_direct(&range[i]))
			continue;
		direct_bounds(&range[i], &lo, &hi);
		gigs = (round_up(hi, SIZE_1G) - round_down(lo, SIZE_1G)) / SIZE_1G;
		need += (giga ? min_u64(gigs, 2) : gigs) + gigs / 512 + 2;
	}
	return need;
}

void paging_begin(struct paging *p, uint64_t pool, uint64_t pages, bool giga)
{
	*p = (struct paging){ .pool = pool, .pages = pages, .used = 1, .giga = giga };
	memset((void *)pool, 0, 4096);
}

static uint64_t *entry_at(uint64_t table, uint64_t va, int level)
{
	return (uint64_t *)(table & ADDRESS) + (va >> (12 + 9 * (level - 1)) & 511);
}

/* The entry for va at `level` (1 to 3), with the tables above it made; NULL: pool empty. */
static uint64_t *walk(struct paging *p, uint64_t va, int level)
{
	uint64_t *e = entry_at(p->pool, va, 4);

	for (int at = 3; at >= level; at--) {
		if (!*e) {
			if (p->used == p->pages)
				return NULL;
			*e = (p->pool + 4096 * p->used++) | PRESENT | PAGING_WRITE;
			memset((void *)(*e & ADDRESS), 0, 4096);
		}
		e = entry_at(*e, va, at);
	}
	return e;
}

static bool entry_put(struct paging *p, uint64_t va, int level, uint64_t value)
{
	uint64_t *e = walk(p, va, level);

	if (!e)
		return false;
	if (!*e)
		*e = value | PRESENT;
	return true;
}

bool paging_page(struct paging *p, uint64_t va, uint64_t pa, uint64_t rights)
{
	return entry_put(p, va, 1, pa | rights);
}

/* Is there a table where a 1 GiB page would go? */
static bool giga_taken(struct paging *p, uint64_t va)
{
	uint64_t *e = walk(p, va, 3);

	return !e || (*e && !(*e & LARGE));
}

static bool direct_range(struct paging *p, uint64_t lo, uint64_t hi)
{
	const uint64_t bits = LARGE | PAGING_WRITE | PAGING_NX;

	while (lo < hi) {
		uint64_t va = EXO_DIRECT_VA + lo;
		bool big = p->giga && lo >= FOUR_GIB && lo % SIZE_1G == 0 && hi - lo >= SIZE_1G &&
			   !giga_taken(p, va);
		uint64_t *above = walk(p, va, 3);

		if (!above)
			return false;
		if (!(*above & LARGE) && !entry_put(p, va, big ? 3 : 2, lo | bits))
			return false;
		lo += big ? SIZE_1G : SIZE_2M;
	}
	return true;
}

bool paging_direct(struct paging *p, const struct exo_boot_range *range, uint32_t ranges)
{
	if (!direct_range(p, 0, FOUR_GIB))
		return false;
	for (uint32_t i = 0; i < ranges; i++) {
		uint64_t lo, hi;

		if (!is_direct(&range[i]))
			continue;
		direct_bounds(&range[i], &lo, &hi);
		if (!direct_range(p, lo, hi))
			return false;
	}
	return true;
}
