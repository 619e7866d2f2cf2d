/* SPDX-License-Identifier: MIT */
/*
 * area.c - addresses for whoever needs some: a mark that moves up, and a list of holes.
 *
 * Invariant: holes are disjoint, ascending and never touch each other or the mark.  When the list
 * is full a released range is forgotten: there are 64 TiB of them.
 */
#include "core.h"

#include <exo/errors.h>
#include <exos/space.h>

#define HOLES 64u
#define TABLE_BYTES (EXO_PAGE_SIZE * 512)       /* that one page table maps */
static struct hole {
	uint64_t lo, hi;
} holes[HOLES] = { { EXOS_NEAR_VA, EXOS_NEAR_END } };
static unsigned hole_count = 1;
static uint64_t mark = EXOS_AREA_VA;

static void hole_delete(unsigned i)
{
	for (hole_count--; i < hole_count; i++)
		holes[i] = holes[i + 1];
}

static void hole_insert(unsigned i, uint64_t lo, uint64_t hi)
{
	if (hole_count == HOLES)
		return;
	for (unsigned k = hole_count++; k > i; k--)
		holes[k] = holes[k - 1];
	holes[i] = (struct hole){ lo, hi };
}

/* From `at` on, so that it lies under as few page tables as can be, and large pages fit. */
static uint64_t place(uint64_t at, uint64_t bytes)
{
	uint64_t left = TABLE_BYTES - at % TABLE_BYTES;

	return bytes > left ? round_up(at, TABLE_BYTES) : at;
}

static uint64_t hole_take(uint64_t bytes)
{
	for (unsigned i = 0; i < hole_count; i++) {
		uint64_t lo = holes[i].lo, hi = holes[i].hi, va = place(lo, bytes);

		if (va > hi || hi - va < bytes)
			continue;
		holes[i].lo = va + bytes;
		if (holes[i].lo == hi)
			hole_delete(i);
		if (va != lo)
			hole_insert(i, lo, va);
		return va;
	}
	return 0;
}

static void hole_give(uint64_t lo, uint64_t hi)
{
	unsigned i = 0;

	while (i < hole_count && holes[i].hi < lo)
		i++;
	/* Now holes[i] touches [lo, hi) or lies behind it. */
	while (i < hole_count && holes[i].lo <= hi) {
		lo = min_u64(lo, holes[i].lo);
		hi = max_u64(hi, holes[i].hi);
		hole_delete(i);
	}
	if (hi == mark)
		mark = lo;
	else
		hole_insert(i, lo, hi);
}

/* Move the mark up. */
static uint64_t mark_take(uint64_t bytes)
{
	uint64_t va = place(mark, bytes);

	if (bytes > EXOS_AREA_END - va)
		return 0;
	if (va != mark)
		hole_insert(hole_count, mark, va);
	mark = va + bytes;
	return va;
}

uint64_t exos_space_reserve(uint64_t bytes)
{
	uint64_t va;

	if (bytes == 0 || bytes > EXOS_AREA_END - EXOS_AREA_VA)
		return 0;
	bytes = round_up(bytes, EXO_PAGE_SIZE);
	exos_core_take();
	va = hole_take(bytes);
	if (!va)
		va = mark_take(bytes);
	exos_core_drop();
	return va;
}

void exos_space_release(uint64_t va, uint64_t bytes)
{
	exos_core_take();
	hole_give(va, va + round_up(bytes, EXO_PAGE_SIZE));
	exos_core_drop();
}

void *exos_space_window(exo_slot claim, uint64_t pfn, uint64_t pages, uint32_t prot, int *error)
{
	uint64_t va = exos_space_reserve(pages << EXO_PAGE_SHIFT);
	int err = va ? exos_space_map(&exos_space_own, va, claim, pfn, pages, prot) : -EXO_E_ROOM;

	if (error)
		*error = err;
	if (err == 0)
		return (void *)va;
	if (va) {
		exos_space_unmap(&exos_space_own, va, pages);
		exos_space_release(va, pages << EXO_PAGE_SHIFT);
	}
	return NULL;
}

void exos_space_window_end(void *address, uint64_t pages)
{
	exos_space_unmap(&exos_space_own, (uintptr_t)address, pages);
	exos_space_release((uintptr_t)address, pages << EXO_PAGE_SHIFT);
}
