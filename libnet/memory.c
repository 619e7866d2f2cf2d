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

int net_memory_register(struct net_stack *stack, const void *va, uint64_t bytes, exo_slot slot,
			uint64_t pfn)
{
	uintptr_t lo = (uintptr_t)va;

	if (!slot || bytes == 0 || lo % EXO_PAGE_SIZE || bytes % EXO_PAGE_SIZE ||
	    bytes > UINTPTR_MAX - lo || overlaps(stack, lo, lo + bytes))
		return -EXO_E_ARG;
	if (stack->ranges == STACK_RANGES)
		return -EXO_E_ROOM;
	stack->range[stack->ranges++] = (struct stack_range){ lo, lo + bytes, slot, pfn };
	return 0;
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
