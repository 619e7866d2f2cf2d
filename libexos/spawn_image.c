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

/* The grant `archive` that holds frames [pfn, pfn + pages) and has these rights, or 0. */
static exo_slot archive_claim(uint64_t pfn, uint64_t pages, uint32_t rights)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)) != NULL; n++) {
		const struct exo_cap *c;

		if (g->kind != EXO_KIND_FRAME || strcmp(g->name, "archive") != 0)
			continue;
		c = exos_cap_look(g->slot);
		if (c == NULL || pfn < c->lo || !range_fits(pfn - c->lo, pages, c->hi - c->lo))
			continue;
		if ((rights & ~(uint32_t)c->rights) == 0)
			return g->slot;
	}
	return 0;
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
	if (claim == 0 || exos_space_frame(last) != pfn + g->pages - 1)
		return none;
	return (struct spawn_share){ claim, pfn };
}

int spawn_image_size(struct spawn *s)
{
	uint64_t bytes = spawn_start_bytes(s->request);

	if (bytes > EXOS_START_END - EXOS_START_VA)
		return spawn_fail(s, "its arguments are too long", -EXO_E_RANGE);
	s->start_bytes = bytes;
	s->start_pages = round_up(bytes, EXO_PAGE_SIZE) / EXO_PAGE_SIZE;
	s->image_pages = s->start_pages;
	for (uint32_t i = 0; i < s->program.segments; i++) {
		s->share[i] = share_find(s->request, &s->program.segment[i]);
		if (s->share[i].claim == 0)
			s->image_pages += s->program.segment[i].pages;
	}
	return 0;
}

/* The file's bytes of one segment, with zeros around them. */
static void segment_fill(const struct spawn *s, uint8_t *to, const struct elf_segment *g)
{
	const uint8_t *file = s->request->file;
	uint64_t end = g->skip + g->file_bytes;

	if (g->unset && !s->request->clean)
		return;
	memset(to, 0, g->skip);
	memcpy(to + g->skip, file + g->file_off, g->file_bytes);
	memset(to + end, 0, g->pages * EXO_PAGE_SIZE - end);
}

int spawn_image_fill(struct spawn *s)
{
	uint8_t *to;
	int error;

	s->window = exos_space_window(s->child->image, s->image_pfn, s->image_pages,
				      EXO_R_READ | EXO_R_WRITE, &error);
	if (s->window == NULL)
		return spawn_fail(s, "its image cannot be filled in", error);
	to = s->window;
	for (uint32_t i = 0; i < s->program.segments; i++) {
		const struct elf_segment *g = &s->program.segment[i];

		if (s->share[i].claim != 0)
			continue;
		segment_fill(s, to, g);
		to += g->pages * EXO_PAGE_SIZE;
	}
	memset(to, 0, s->request->clean ? s->start_pages * EXO_PAGE_SIZE : s->start_bytes);
	s->grant = (struct exos_grant *)to;
	return 0;
}
