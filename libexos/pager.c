/* SPDX-License-Identifier: MIT */
/*
 * pager.c - page faults: from the address to its region, and the pager of zeroed memory.
 *
 * Runs on the upcall stack with upcalls off.
 *
 * Invariant: each page mapped by exos_pager_zero has a frame of exos_frame_alloc of its own.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/pager.h>
#include <exos/space.h>
#include <exos/upcall.h>

static bool fault_allowed(const struct exos_region *r, uint64_t error)
{
	if (error & EXOS_FAULT_WRITE)
		return r->prot & EXO_R_WRITE;
	if (error & EXOS_FAULT_FETCH)
		return r->prot & EXO_R_EXEC;
	return r->prot & EXO_R_READ;
}

int exos_pager_handle(struct exo_context *context, void *argument)
{
	struct exos_fault fault = { context->cr2, context->error, context };
	struct exos_region *region;
	int err;

	(void)argument;
	exos_core_take();
	region = core_region_find(fault.va);
	exos_core_drop();
	if (!region || !region->pager->fault)
		return -EXO_E_ABSENT;
	if (!fault_allowed(region, fault.error))
		return -EXO_E_RIGHTS;
	err = region->pager->fault(region, &fault);
	if (err == -EXO_E_ROOM && exos_region_reclaim() > 0)
		err = region->pager->fault(region, &fault);
	return err;
}

/*
 * A fresh frame at va, zeroed before the core lock is dropped: no other thread stores into it
 * first. Another thread that was faster is no error.
 */
static int zero_map(struct exos_region *region, uint64_t va)
{
	uint64_t pfn;
	exo_slot claim;
	int err = core_frame_one(&pfn, &claim);

	if (err < 0)
		return err;
	err = core_space_map(&exos_space_own, va, claim, pfn, 1, EXO_R_READ | EXO_R_WRITE);
	if (err < 0) {
		core_frame_free(pfn, 1);
		return err == -EXO_E_MAPPED ? 0 : err;
	}
	region->pages++;
	insn_fill((void *)va, 0, EXO_PAGE_SIZE / 8);
	if (!(region->prot & EXO_R_WRITE))
		err = core_space_protect(&exos_space_own, va, 1, region->prot);
	return err;
}

static int zero_fault(struct exos_region *region, struct exos_fault *fault)
{
	int err;

	if (fault->error & EXOS_FAULT_PRESENT)
		return -EXO_E_RIGHTS;
	exos_core_take();
	err = zero_map(region, round_down(fault->va, EXO_PAGE_SIZE));
	exos_core_drop();
	return err;
}

bool core_fault_quick(const struct exo_context *context)
{
	static struct exo_map_op op = {
		.pages = 1, .op = EXO_MAP, .prot = EXO_R_READ | EXO_R_WRITE,
	};
	struct exos_region *r = core_region_last;
	uint64_t va = context->cr2;

	if (!r || va < r->lo || va >= r->hi || r->pager != &exos_pager_zero)
		return false;
	if (context->error & (EXOS_FAULT_PRESENT | EXOS_FAULT_FETCH) || !(r->prot & EXO_R_WRITE) ||
	    core_stock.next == core_stock.hi || exos_worker_count)
		return false;
	va = round_down(va, EXO_PAGE_SIZE);
	op.va = va;
	op.slot = core_stock.claim;
	op.pfn = core_stock.next;
	if (exo_space_update(exos_space_own.slot, (uintptr_t)&op, 1) != 1)
		return false;
	core_stock.next++;
	r->pages++;
	insn_fill((void *)va, 0, EXO_PAGE_SIZE / 8);
	return true;
}

#define DISCARD 64u     /* pages given up at a time */

/* Unmap some pages, then free what was there: nobody reaches a frame that is free. */
static void zero_discard_some(struct exos_region *region, uint64_t va, uint64_t pages)
{
	uint64_t pfn[DISCARD], count = 0;

	exos_core_take();
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t at = exos_space_frame(va + i * EXO_PAGE_SIZE);

		if (at)
			pfn[count++] = at;
	}
	if (count && core_space_unmap(&exos_space_own, va, pages) == 0) {
		for (uint64_t i = 0; i < count; i++)
			core_frame_free(pfn[i], 1);
		region->pages -= (uint32_t)count;
	}
	exos_core_drop();
}

static void zero_discard(struct exos_region *region, uint64_t va, uint64_t pages)
{
	uint64_t end = va + pages * EXO_PAGE_SIZE;

	while (va < end && region->pages > 0) {
		uint64_t some = min_u64((end - va) >> EXO_PAGE_SHIFT, DISCARD);
		uint64_t large = round_up(va + 1, 1ul << 21);

		/* Where nothing was ever mapped there is no page table: go on behind it. */
		if (!exos_space_table(va)) {
			va = large;
			continue;
		}
		zero_discard_some(region, va, some);
		va += some * EXO_PAGE_SIZE;
	}
}

const struct exos_pager exos_pager_zero = { "zero", zero_fault, zero_discard };
const struct exos_pager exos_pager_guard = { "guard", NULL, NULL };
