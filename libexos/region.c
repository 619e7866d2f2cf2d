/* SPDX-License-Identifier: MIT */
/*
 * region.c - the regions of the program: its stack, its heap, and what it enters itself.
 *
 * Invariant: regions never overlap; the tree is changed and searched under the core lock.
 */
#include "core.h"
#include "tree.h"

#include <exos/error.h>
#include <exos/pager.h>
#include <exos/space.h>

static struct exos_region *root;

static struct exos_region stack_guard = {
	.lo = EXOS_STACK_LO - EXO_PAGE_SIZE, .hi = EXOS_STACK_LO,
	.pager = &exos_pager_guard, .name = "guard page below the stack",
};
static struct exos_region stack = {
	.lo = EXOS_STACK_LO, .hi = EXOS_STACK_HI, .prot = EXO_R_READ | EXO_R_WRITE,
	.pager = &exos_pager_zero, .name = "stack",
};
static struct exos_region heap = {
	.lo = EXOS_HEAP_VA, .hi = EXOS_HEAP_END, .prot = EXO_R_READ | EXO_R_WRITE,
	.pager = &exos_pager_zero, .name = "heap",
};
static struct exos_region null_guard = {
	.lo = 0, .hi = EXO_PAGE_SIZE,
	.pager = &exos_pager_guard, .name = "page of the null pointer",
};

/* What a program touches first. */
struct exos_region *core_region_last = &stack;

/* The program's own, none of which overlap, are entered when others than the last are asked for. */
static struct exos_region **tree(void)
{
	static bool entered;

	if (!entered) {
		entered = true;
		tree_insert(&root, &stack_guard);
		tree_insert(&root, &stack);
		tree_insert(&root, &heap);
		tree_insert(&root, &null_guard);
	}
	return &root;
}
_Static_assert(EXO_PAGE_SIZE < EXOS_STACK_LO - EXO_PAGE_SIZE && EXOS_STACK_HI <= EXOS_HEAP_VA,
	       "the program's own regions do not overlap");

struct exos_region *core_region_find(uint64_t va)
{
	struct exos_region *r = core_region_last;

	if (r && va >= r->lo && va < r->hi)
		return r;
	r = tree_find(*tree(), va);
	if (r)
		core_region_last = r;
	return r;
}

struct exos_region *exos_region_find(uint64_t va)
{
	struct exos_region *r;

	exos_core_take();
	r = core_region_find(va);
	exos_core_drop();
	return r;
}

struct exos_region *exos_region_next(uint64_t va)
{
	struct exos_region *r;

	exos_core_take();
	r = tree_next(*tree(), va);
	exos_core_drop();
	return r;
}

int exos_region_add(struct exos_region *region)
{
	struct exos_region *next;
	int err = 0;

	if (region->lo >= region->hi || (region->lo | region->hi) & (EXO_PAGE_SIZE - 1) ||
	    !region->pager)
		return -EXO_E_ARG;
	exos_core_take();
	next = tree_next(*tree(), region->lo);
	if (next && next->lo < region->hi)
		err = -EXO_E_MAPPED;
	else
		tree_insert(tree(), region);
	exos_core_drop();
	return err;
}

void exos_region_discard(struct exos_region *region, uint64_t va, uint64_t pages)
{
	if (region->pager->discard)
		region->pager->discard(region, va, pages);
}

void exos_region_remove(struct exos_region *region)
{
	exos_region_discard(region, region->lo, (region->hi - region->lo) >> EXO_PAGE_SHIFT);
	exos_core_take();
	tree_remove(tree(), region);
	if (core_region_last == region)
		core_region_last = NULL;
	exos_core_drop();
}

int exos_region_fill(struct exos_region *region, uint64_t va, uint64_t pages)
{
	uint64_t error = region->prot & EXO_R_WRITE ? EXOS_FAULT_WRITE : 0;
	int err = 0;

	if (va < region->lo || va > region->hi ||
	    pages > (region->hi - va) >> EXO_PAGE_SHIFT || !region->pager->fault)
		return -EXO_E_RANGE;
	for (; pages && err == 0; pages--, va += EXO_PAGE_SIZE) {
		struct exos_fault fault = { va, error, NULL };

		if (!exos_space_entry(va, NULL))
			err = region->pager->fault(region, &fault);
	}
	return err;
}

int exos_region_make(struct exos_region *region, uint64_t bytes, const char *name)
{
	uint64_t va;
	int err;

	bytes = round_up(bytes, EXO_PAGE_SIZE);
	va = exos_space_reserve(bytes + 2 * EXO_PAGE_SIZE);
	if (!va)
		return -EXO_E_ROOM;
	*region = (struct exos_region){
		.lo = va + EXO_PAGE_SIZE, .hi = va + EXO_PAGE_SIZE + bytes,
		.prot = EXO_R_READ | EXO_R_WRITE, .pager = &exos_pager_zero, .name = name,
	};
	err = exos_region_add(region);
	if (err < 0)
		exos_space_release(va, bytes + 2 * EXO_PAGE_SIZE);
	return err;
}

void exos_region_unmake(struct exos_region *region)
{
	exos_region_remove(region);
	exos_space_release(region->lo - EXO_PAGE_SIZE,
			   region->hi - region->lo + 2 * EXO_PAGE_SIZE);
}
