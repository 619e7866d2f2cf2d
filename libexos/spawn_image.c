/* SPDX-License-Identifier: MIT */
/*
 * spawn_image.c - a child's image: its frames filled in, and mapped in its space.
 *
 * What a program cannot write and the boot archive holds in whole pages is not copied: the child
 * maps the archive's frames, by our claim on them, as long as that claim is there.
 *
 * Invariant: the image's frames hold only bytes of the file, the start block and zeros; no page is
 * writable and executable, here or there; all bytes of a shared page are the file's.
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
	uint64_t va = (uintptr_t)request->file + g->file_off - g->skip, pfn;
	exo_slot claim;

	if ((g->rights & EXO_R_WRITE) != 0 || !g->in_file || g->file_off < g->skip)
		return none;
	if (va % EXO_PAGE_SIZE != 0 ||
	    !range_fits(g->file_off - g->skip, g->pages * EXO_PAGE_SIZE, request->file_bytes))
		return none;
	pfn = exos_space_frame(va);
	claim = pfn != 0 ? archive_claim(pfn, g->pages, g->rights) : 0;
	/* The archive is mapped in one piece for each of its claims. */
	if (claim == 0 || exos_space_frame(va + (g->pages - 1) * EXO_PAGE_SIZE) != pfn + g->pages - 1)
		return none;
	return (struct spawn_share){ claim, pfn };
}

int spawn_image_size(struct spawn *s)
{
	uint64_t bytes = spawn_start_bytes(s->request);

	if (bytes > EXOS_START_END - EXOS_START_VA)
		return spawn_fail(s, "its arguments are too long", -EXO_E_RANGE);
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
static void segment_fill(uint8_t *to, const uint8_t *file, const struct elf_segment *g)
{
	uint64_t end = g->skip + g->file_bytes;

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
		segment_fill(to, s->request->file, g);
		to += g->pages * EXO_PAGE_SIZE;
	}
	memset(to, 0, s->start_pages * EXO_PAGE_SIZE);
	s->grant = (struct exos_grant *)to;
	return 0;
}

int spawn_tables(struct exos_space *space, uint64_t count, uint64_t *pfn, exo_slot *claim)
{
	struct spawn *s = space->context;

	if (!range_fits(s->next - s->child->pfn, count, s->child->frames))
		return -EXO_E_ROOM;
	*pfn = s->next;
	*claim = s->child->memory;
	s->next += count;
	return 0;
}

/* A table whose slot cannot be kept still ends with the child; only its slot stays taken. */
void spawn_linked(struct exos_space *space, exo_slot table, int level)
{
	struct spawn *s = space->context;

	(void)level;
	spawn_keep(s->child, table);
}

static int spawn_map(struct spawn *s, uint64_t va, exo_slot claim, uint64_t pfn, uint64_t pages,
		     uint32_t prot)
{
	/* spawn_linked is called with the library's lock held: page tables of 2 MiB, and one or two
	   of each higher level at the ends. */
	int error = spawn_room(s->child, (uint32_t)(pages / 512) + 8);

	if (error < 0)
		return spawn_fail(s, "there is no memory to keep its claims", error);
	error = exos_space_map(&s->space, va, claim, pfn, pages, prot);

	return error < 0 ? spawn_fail(s, "its space cannot be filled", error) : 0;
}

static int spawn_map_segments(struct spawn *s)
{
	uint64_t pfn = s->image_pfn;

	for (uint32_t i = 0; i < s->program.segments; i++) {
		const struct elf_segment *g = &s->program.segment[i];
		const struct spawn_share *share = &s->share[i];
		bool own = share->claim == 0;
		int error = spawn_map(s, g->va, own ? s->child->image : share->claim,
				      own ? pfn : share->pfn, g->pages, g->rights);

		if (error < 0)
			return error;
		pfn += own ? g->pages : 0;
	}
	return spawn_map(s, EXOS_START_VA, s->child->image, pfn, s->start_pages,
			 EXO_R_READ | EXO_R_WRITE);
}

/* The grant called `export` is mapped by our own claim: the child's is for its own mappings. */
static int spawn_map_export(struct spawn *s)
{
	for (uint32_t i = 0; i < s->request->grants; i++) {
		const struct exos_spawn_grant *g = &s->request->grant[i];
		const struct exo_cap *c = exos_cap_look(g->slot);

		if (strcmp(g->name, "export") == 0 && c != NULL && c->kind == EXO_KIND_FRAME)
			return spawn_map(s, EXOS_EXPORT_VA, g->slot, c->lo, c->hi - c->lo,
					 EXO_R_READ);
	}
	return 0;
}

int spawn_image_map(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error;

	if ((error = spawn_map_segments(s)) < 0)
		return error;
	error = spawn_map(s, EXOS_ENV_VA, c->env, c->pfn + 1, 1, EXO_R_READ | EXO_R_WRITE);
	for (uint64_t i = 0; i < s->tables && error >= 0; i++)
		error = spawn_map(s, EXOS_TABLE_VA + i * EXO_PAGE_SIZE, c->slot[1 + i],
				  c->pfn + EXO_FRAMES_ENV + i, 1, EXO_R_READ);
	return error < 0 ? error : spawn_map_export(s);
}
