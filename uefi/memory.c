/* SPDX-License-Identifier: MIT */
/*
 * memory.c - pages from the firmware, and the list of those that the kernel shall know of.
 *
 * Invariant: a span is noted exactly while its memory is the loader's.
 */
#include "loader.h"

static void *pages_take(struct loader *l, uint64_t pages, uint64_t below, const char *what)
{
	EFI_PHYSICAL_ADDRESS pa = below ? below - 1 : 0;
	EFI_STATUS s;

	s = l->bs->AllocatePages(below ? AllocateMaxAddress : AllocateAnyPages, EfiLoaderData,
				 pages, &pa);
	if (s == EFI_SUCCESS)
		return (void *)pa;
	(void)refuse(&l->why, "%s: no memory for %lu KiB; give the machine more", what, pages * 4);
	return NULL;
}

bool memory_note(struct loader *l, uint64_t pa, uint64_t pages, uint32_t kind)
{
	if (l->spans == LOADER_SPANS)
		return refuse(&l->why, "loader: more than %u pieces of memory", LOADER_SPANS);
	l->span[l->spans++] = (struct span){ .pa = pa, .pages = pages, .kind = kind };
	return true;
}

void *memory_keep(struct loader *l, uint64_t pages, uint32_t kind, uint64_t below,
		  const char *what)
{
	void *memory = pages_take(l, pages, below, what);

	if (!memory || memory_note(l, (uint64_t)memory, pages, kind))
		return memory;
	l->bs->FreePages((uint64_t)memory, pages);
	return NULL;
}

void *memory_scratch(struct loader *l, uint64_t pages, const char *what)
{
	return pages_take(l, pages, 0, what);
}

void memory_release(struct loader *l, void *memory, uint64_t pages)
{
	for (uint32_t i = 0; i < l->spans; i++) {
		if (l->span[i].pa != (uint64_t)memory)
			continue;
		l->span[i] = l->span[--l->spans];
		break;
	}
	l->bs->FreePages((uint64_t)memory, pages);
}
