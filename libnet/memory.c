/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory that may be sent without a copy: which claim and frame stand behind it.
 *
 * Invariant: ranges are page aligned and do not overlap.
 */
#include "stack_parts.h"

#include <base/util.h>

const struct stack_range *stack_range_find(const struct net_stack *stack, const void *at,
					   size_t bytes)
{
	uintptr_t va = (uintptr_t)at;

	for (uint32_t i = 0; i < stack->ranges; i++) {
		const struct stack_range *r = &stack->range[i];

		if (va >= r->lo && range_fits(va - r->lo, bytes, r->hi - r->lo))
			return r;
	}
	return NULL;
}

static bool overlaps(const struct net_stack *stack, uintptr_t lo, uintptr_t hi)
{
	for (uint32_t i = 0; i < stack->ranges; i++)
		if (lo < stack->range[i].hi && hi > stack->range[i].lo)
			return true;
	return false;
}

static int range_add(struct net_stack *stack, const void *va, uint64_t bytes,
		     struct stack_range range)
{
	uintptr_t lo = (uintptr_t)va;

	if (bytes == 0 || lo % EXO_PAGE_SIZE || bytes % EXO_PAGE_SIZE ||
	    bytes > UINTPTR_MAX - lo || overlaps(stack, lo, lo + bytes))
		return -EXO_E_ARG;
	if (stack->ranges == STACK_RANGES)
		return -EXO_E_ROOM;
	range.lo = lo;
	range.hi = lo + bytes;
	stack->range[stack->ranges++] = range;
	return 0;
}

int net_memory_register(struct net_stack *stack, const void *va, uint64_t bytes, exo_slot slot,
			uint64_t pfn)
{
	if (!slot)
		return -EXO_E_ARG;
	return range_add(stack, va, bytes, (struct stack_range){ .slot = slot, .pfn = pfn });
}

int net_memory_register_loose(struct net_stack *stack, const void *va, uint64_t bytes,
			      net_memory_page *page)
{
	return range_add(stack, va, bytes, (struct stack_range){ .page = page });
}

/* Do the pages behind the first hold what follows its frame, by the same claim? */
static bool pages_follow(const struct stack_range *range, uintptr_t page, uintptr_t last,
			 exo_slot slot, uint64_t pfn)
{
	exo_slot next;
	uint64_t after;

	while (page < last) {
		page += EXO_PAGE_SIZE;
		range->page((const void *)page, &next, &after);
		if (next != slot || after != ++pfn)
			return false;
	}
	return true;
}

bool stack_range_place(const struct stack_range *range, const void *at, size_t bytes,
		       struct exo_tx *part)
{
	uintptr_t va = (uintptr_t)at, page = round_down(va, EXO_PAGE_SIZE);
	uintptr_t last = round_down(va + bytes - 1, EXO_PAGE_SIZE);
	exo_slot slot = range->slot;
	uint64_t pfn = range->pfn + ((va - range->lo) >> EXO_PAGE_SHIFT);

	if (range->page) {
		range->page((const void *)page, &slot, &pfn);
		if (!pfn || !slot || !pages_follow(range, page, last, slot, pfn))
			return false;
	}
	part->slot = slot;
	part->at = pfn * EXO_PAGE_SIZE + (va - page);
	return true;
}

void net_memory_unregister(struct net_stack *stack, const void *va)
{
	for (uint32_t i = 0; i < stack->ranges; i++) {
		if (stack->range[i].lo != (uintptr_t)va)
			continue;
		stack->range[i] = stack->range[--stack->ranges];
		for (struct stack_ring *r = stack->rings; r; r = r->next)
			stack_ring_drain(r, UINT64_MAX);
		return;
	}
}
