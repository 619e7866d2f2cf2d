/* SPDX-License-Identifier: MIT */
/*
 * spawn_map.c - a child's space: the page tables that every program needs, linked in one call, and
 * the mappings of its image, its page and its tables, collected and made in as few.
 *
 * Invariant: no page is writable and executable; all tables are made of the child's memory.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/errors.h>
#include <exos/cap.h>

#include "spawn_parts.h"

#define OPS 24u                 /* changes made in one call */

/* Further tables are made when they are missed. */
static int spawn_tables(struct exos_space *space, uint64_t count, uint64_t *pfn, exo_slot *claim)
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
static void spawn_linked(struct exos_space *space, exo_slot table, int level)
{
	struct spawn *s = space->context;

	(void)level;
	spawn_keep(s->child, table);
}

/* Make the changes that were collected. */
static int map_flush(struct spawn *s)
{
	uint32_t tables = 0;
	int error;

	/* spawn_linked is called with the library's lock held: page tables of 2 MiB, and one or two
	   of each higher level at the ends. */
	for (uint32_t i = 0; i < s->ops; i++)
		tables += s->op[i].op == EXO_MAP ? s->op[i].pages / 512 + 1 : 0;
	error = spawn_room(s->child, tables + 8);
	if (error < 0)
		return spawn_fail(s, "there is no memory to keep its claims", error);
	error = exos_space_update(&s->space, s->op, s->ops);
	s->ops = 0;
	return error < 0 ? spawn_fail(s, "its space cannot be filled", error) : 0;
}

/* Does the operation go on where the one before it ends? */
static bool map_joins(const struct exo_map_op *last, const struct exo_map_op *op)
{
	return op->op == EXO_MAP && last->op == EXO_MAP && last->slot == op->slot &&
	       last->prot == op->prot && last->va + last->pages * EXO_PAGE_SIZE == op->va &&
	       last->pfn + last->pages == op->pfn && op->pages <= EXO_MAP_MAX - last->pages;
}

static int map_add(struct spawn *s, const struct exo_map_op *op)
{
	int error;

	if (s->ops > 0 && map_joins(&s->op[s->ops - 1], op)) {
		s->op[s->ops - 1].pages += op->pages;
		return 0;
	}
	error = s->ops == OPS ? map_flush(s) : 0;
	if (error >= 0)
		s->op[s->ops++] = *op;
	return error;
}

static int map_range(struct spawn *s, uint64_t va, exo_slot claim, uint64_t pfn, uint64_t pages,
		     uint32_t prot)
{
	struct exo_map_op op = { .slot = claim, .va = va, .pfn = pfn, .op = EXO_MAP,
				 .prot = (uint16_t)prot };
	int error = 0;

	while (pages != 0 && error >= 0) {
		uint64_t some = min_u64(pages, EXO_MAP_MAX);

		op.pages = (uint32_t)some;
		error = map_add(s, &op);
		op.va += some * EXO_PAGE_SIZE;
		op.pfn += some;
		pages -= some;
	}
	return error;
}

/* The tables above environment page and stack, where the image begins; others when missed. */
static int map_tables(struct spawn *s)
{
	for (uint64_t level = 3; level > 0; level--) {
		struct exo_map_op op = { .va = EXOS_ENV_VA, .op = EXO_LINK };
		int error = spawn_object(s, SPAWN_PT + (enum spawn_slot)level - 1, EXO_KIND_PT,
					 level, EXO_FRAMES_PT, &op.slot);

		if (error >= 0)
			error = map_add(s, &op);
		if (error < 0)
			return error;
	}
	return 0;
}

static int map_segments(struct spawn *s)
{
	uint64_t pfn = s->image_pfn;

	for (uint32_t i = 0; i < s->program.segments; i++) {
		const struct elf_segment *g = &s->program.segment[i];
		const struct spawn_share *share = &s->share[i];
		bool own = share->claim == 0;
		int error = map_range(s, g->va, own ? s->child->image : share->claim,
				      own ? pfn : share->pfn, g->pages, g->rights);

		if (error < 0)
			return error;
		pfn += own ? g->pages : 0;
	}
	return map_range(s, EXOS_START_VA, s->child->image, pfn, s->start_pages,
			 EXO_R_READ | EXO_R_WRITE);
}

/* The grant called `export` is mapped by our own claim: the child's is for its own mappings. */
static int map_export(struct spawn *s)
{
	for (uint32_t i = 0; i < s->request->grants; i++) {
		const struct exos_spawn_grant *g = &s->request->grant[i];
		const struct exo_cap *c = exos_cap_look(g->slot);

		if (strcmp(g->name, "export") == 0 && c != NULL && c->kind == EXO_KIND_FRAME)
			return map_range(s, EXOS_EXPORT_VA, g->slot, c->lo, c->hi - c->lo,
					 EXO_R_READ);
	}
	return 0;
}

static int space_fill(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error;

	s->space = (struct exos_space){
		.slot = c->space, .tables = spawn_tables, .linked = spawn_linked, .context = s,
	};
	if ((error = map_tables(s)) < 0 || (error = map_segments(s)) < 0)
		return error;
	error = map_range(s, EXOS_ENV_VA, c->env, c->pfn + 1, 1, EXO_R_READ | EXO_R_WRITE);
	for (uint64_t i = 0; i < s->tables && error >= 0; i++)
		error = map_range(s, EXOS_TABLE_VA + i * EXO_PAGE_SIZE,
				  i == 0 ? c->table : spawn_slots(c)[i - 1],
				  c->pfn + EXO_FRAMES_ENV + i, 1, EXO_R_READ);
	if (error >= 0)
		error = map_export(s);
	return error < 0 ? error : map_flush(s);
}

int spawn_space_fill(struct spawn *s)
{
	struct exo_map_op op[OPS];
	int error;

	s->op = op;
	error = space_fill(s);
	s->op = NULL;
	return error;
}
