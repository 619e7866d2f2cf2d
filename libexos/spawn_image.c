/* SPDX-License-Identifier: MIT */
/*
 * spawn_image.c - a child's image: what of it is shared, and the other frames filled in.
 *
 * What a program cannot write and the boot archive holds in whole pages is not copied: the child
 * maps the archive's frames, by our claim on them, as long as that claim is there.  Where all of
 * it is mapped: spawn_map.c.
 *
 * Invariant: the image's frames hold only bytes of the file, the start block and zeros, but for
 * stacks, and behind the start block, of a child that may see what was in its memory; all bytes of
 * a shared page are the file's.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/errors.h>
#include <exos/cap.h>
#include <exos/space.h>

#include "spawn_parts.h"

/* The slot of a grant if it is one of those below, else 0. */
static exo_slot archive_slot(const struct exos_grant *g, uint64_t pfn, uint64_t pages,
			     uint32_t rights)
{
	const struct exo_cap *c;

	if (g == NULL || g->kind != EXO_KIND_FRAME || strcmp(g->name, "archive") != 0)
		return 0;
	c = exos_cap_look(g->slot);
	if (c == NULL || pfn < c->lo || !range_fits(pfn - c->lo, pages, c->hi - c->lo))
		return 0;
	return (rights & ~(uint32_t)c->rights) == 0 ? g->slot : 0;
}

/* The grant `archive` that holds frames [pfn, pfn + pages) and has these rights, or 0. */
static exo_slot archive_claim(uint64_t pfn, uint64_t pages, uint32_t rights)
{
	static uint32_t last;           /* where one was found: most programs lie together */
	uint32_t found = __atomic_load_n(&last, __ATOMIC_RELAXED);
	exo_slot slot = archive_slot(exos_grant_at(found), pfn, pages, rights);
	const struct exos_grant *g;

	for (uint32_t n = 0; !slot && (g = exos_grant_at(n)) != NULL; n++) {
		slot = archive_slot(g, pfn, pages, rights);
		found = n;
	}
	__atomic_store_n(&last, found, __ATOMIC_RELAXED);
	return slot;
}

/* How a segment is shared, if it can be: read-only, and its pages are pages of the file. */
static struct spawn_share share_find(const struct exos_spawn *request, const struct elf_segment *g)
{
	const struct spawn_share none = { .claim = 0 };
	uint64_t va = (uintptr_t)request->file + g->file_off - g->skip, pfn, last;
	exo_slot claim;

	if ((g->rights & EXO_R_WRITE) != 0 || !g->in_file || g->file_off < g->skip)
		return none;
	if (va % EXO_PAGE_SIZE != 0 ||
	    !range_fits(g->file_off - g->skip, g->pages * EXO_PAGE_SIZE, request->file_bytes))
		return none;
	pfn = exos_space_frame(va);
	claim = pfn != 0 ? archive_claim(pfn, g->pages, g->rights) : 0;
	/* The archive is mapped in one piece for each of its claims. */
	last = va + (g->pages - 1) * EXO_PAGE_SIZE;
	if (claim == 0 || (g->pages > 1 && exos_space_frame(last) != pfn + g->pages - 1))
		return none;
	return (struct spawn_share){ claim, pfn };
}

/* Are the frames of this segment left as they are? */
static bool segment_stays(const struct spawn *s, const struct elf_segment *g)
{
	return g->unset && !s->request->clean;
}

int spawn_image_size(struct spawn *s)
{
	uint64_t bytes = spawn_start_bytes(s->request);

	if (bytes > EXOS_START_END - EXOS_START_VA)
		return spawn_fail(s, "its arguments are too long", -EXO_E_RANGE);
	s->start_bytes = bytes;
	s->start_pages = round_up(bytes, EXO_PAGE_SIZE) / EXO_PAGE_SIZE;
	s->image_pages = 0;
	for (uint32_t i = 0; i < s->program.segments; i++) {
		const struct elf_segment *g = &s->program.segment[i];

		s->share[i] = share_find(s->request, g);
		if (s->share[i].claim != 0)
			continue;
		if (segment_stays(s, g) && s->unset_pages == s->image_pages)
			s->unset_pages += g->pages;
		s->image_pages += g->pages;
	}
	s->image_pages += s->start_pages;
	return 0;
}

/* The file's bytes of one segment, with zeros around them. */
static void segment_fill(const struct spawn *s, uint8_t *to, const struct elf_segment *g)
{
	const uint8_t *file = s->request->file;
	uint64_t end = g->skip + g->file_bytes;

	if (segment_stays(s, g))
		return;
	memset(to, 0, g->skip);
	memcpy(to + g->skip, file + g->file_off, g->file_bytes);
	memset(to + end, 0, g->pages * EXO_PAGE_SIZE - end);
}

int spawn_image_fill(struct spawn *s)
{
	uint64_t at = 0;                /* page of the image */
	uint8_t *to;

	for (uint32_t i = 0; i < s->program.segments; i++) {
		const struct elf_segment *g = &s->program.segment[i];

		if (s->share[i].claim != 0)
			continue;
		if (at >= s->unset_pages)
			segment_fill(s, s->window + (at - s->unset_pages) * EXO_PAGE_SIZE, g);
		at += g->pages;
	}
	to = s->window + (at - s->unset_pages) * EXO_PAGE_SIZE;
	memset(to, 0, s->request->clean ? s->start_pages * EXO_PAGE_SIZE : s->start_bytes);
	s->grant = (struct exos_grant *)to;
	return 0;
}
