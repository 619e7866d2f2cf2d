/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - the program's own heap, under the standard names.
 *
 * Its memory is the demand-zero region at EXOS_HEAP_VA: what was never touched costs nothing.
 */
#include "core.h"

#include <base/string.h>
#include <exos/error.h>
#include <exos/heap.h>
#include <exos/lock.h>
#include <exos/pager.h>

static struct exos_lock heap_lock;

static void heap_broken(const char *what, const void *address)
{
	exos_panic("heap: 0x%lx: %s", (unsigned long)(uintptr_t)address, what);
}

static void heap_release(void *address, size_t bytes)
{
	struct exos_region *region = exos_region_find((uintptr_t)address);

	if (region)
		exos_region_discard(region, (uintptr_t)address, bytes >> EXO_PAGE_SHIFT);
}

static const struct exos_heap_ops heap_ops = { heap_broken, heap_release };

struct exos_heap *exos_heap_own(void)
{
	static struct exos_heap heap;

	if (!heap.ops)
		exos_heap_init(&heap, (void *)EXOS_HEAP_VA, EXOS_HEAP_END - EXOS_HEAP_VA,
			       &heap_ops);
	return &heap;
}

void exos_heap_junk(int on)
{
	exos_lock_take(&heap_lock);
	exos_heap_own()->junk = on;
	exos_lock_drop(&heap_lock);
}

void *malloc(size_t bytes)
{
	void *block;

	exos_lock_take(&heap_lock);
	block = exos_heap_alloc(exos_heap_own(), bytes);
	exos_lock_drop(&heap_lock);
	return block;
}

void *calloc(size_t count, size_t bytes)
{
	uint64_t all;
	void *block;

	if (!mul_u64(count, bytes, &all))
		return NULL;
	block = malloc(all);
	if (block)
		memset(block, 0, all);
	return block;
}

void *realloc(void *block, size_t bytes)
{
	void *moved;

	exos_lock_take(&heap_lock);
	moved = exos_heap_resize(exos_heap_own(), block, bytes);
	exos_lock_drop(&heap_lock);
	return moved;
}

void free(void *block)
{
	exos_lock_take(&heap_lock);
	exos_heap_free(exos_heap_own(), block);
	exos_lock_drop(&heap_lock);
}
