/* SPDX-License-Identifier: MIT */
/*
 * spawn_grant.c - what a child may do: claims derived into its table, and the list that names
 * them.
 *
 * The start block holds the grants, then argv with its NULL, then the strings.  Invariant: the
 * child's table is open only while this file gives into it.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/time.h>

#include "spawn_parts.h"

#define CLEAN_PAGES 512u        /* pages zeroed through one window */

uint64_t spawn_start_bytes(const struct exos_spawn *request)
{
	uint64_t bytes = (uint64_t)(SPAWN_OWN_GRANTS + request->grants) * sizeof(struct exos_grant);

	bytes += ((uint64_t)request->argc + 1) * sizeof(char *);
	for (int i = 0; i < request->argc; i++)
		bytes += strlen(request->argv[i]) + 1;
	return bytes;
}

/* Enter a claim of the child, or with slot 0 only the numbers, into its list. */
static void grant_note(struct spawn *s, const char *name, exo_slot slot, const struct exo_cap *c)
{
	struct exos_grant *g = &s->grant[s->grants++];

	string_copy(g->name, name, sizeof(g->name));
	g->slot = slot;
	g->lo = c->lo;
	g->hi = c->hi;
	g->kind = c->kind;
	g->unit = c->unit;
}

/* Derive the whole of one of our claims into the child's next slot. */
static int grant_give(struct spawn *s, const char *name, exo_slot slot, uint32_t rights)
{
	const struct exo_cap *c = exos_cap_look(slot);
	struct exo_cap seen;
	int64_t given;

	if (c == NULL)
		return -EXO_E_STALE;
	seen = *c;
	given = exo_cap_give(slot, s->child->env, s->dst, rights);
	if (given < 0)
		return (int)given;
	s->dst++;
	grant_note(s, name, (exo_slot)given, &seen);
	return 0;
}

/* Derive a part: narrow, give, and step out from between. */
static int grant_part(struct spawn *s, const char *name, exo_slot from, uint64_t lo, uint64_t hi,
		      uint32_t rights)
{
	exo_slot part;
	int error = exos_cap_narrow(from, lo, hi, rights, &part);

	if (error < 0)
		return error;
	error = grant_give(s, name, part, rights);
	if (error < 0)
		exos_cap_end(part);
	else
		error = exos_cap_drop(part);
	return error;
}

static int grant_one(struct spawn *s, const struct exos_spawn_grant *g)
{
	if (g->slot == 0) {
		struct exo_cap numbers = { .lo = g->lo, .hi = g->hi, .unit = g->unit };

		grant_note(s, g->name, 0, &numbers);
		return 0;
	}
	if (g->lo == 0 && g->hi == 0)
		return grant_give(s, g->name, g->slot, g->rights);
	return grant_part(s, g->name, g->slot, g->lo, g->hi, g->rights);
}

/* A doorbell of ours: for whatever it wants to say. */
static int grant_parent(struct spawn *s)
{
	exo_slot bell;
	int error = exos_cap_doorbell(s->child->bell, &bell);

	if (error < 0)
		return error;
	error = grant_give(s, "parent", bell, EXO_R_NOTIFY);
	exos_cap_drop(bell);
	return error;
}

static int grant_clean(exo_slot memory, uint64_t lo, uint64_t hi)
{
	while (lo < hi) {
		uint64_t pages = min_u64(hi - lo, CLEAN_PAGES);
		int error;
		void *window = exos_space_window(memory, lo, pages, EXO_R_READ | EXO_R_WRITE,
						 &error);

		if (window == NULL)
			return error;
		memset(window, 0, pages * EXO_PAGE_SIZE);
		exos_space_window_end(window, pages);
		lo += pages;
	}
	return 0;
}

/* All frames that are left are the child's own. */
static int grant_memory(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t end = c->pfn + c->frames;
	uint32_t rights = EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE;
	exo_slot rest;
	int error;

	if (s->next == end)
		return -EXO_E_ROOM;
	if ((error = exos_cap_narrow(c->memory, s->next, end, rights, &rest)) < 0)
		return error;
	if (s->request->clean)
		error = grant_clean(rest, s->next, end);
	if (error >= 0)
		error = grant_give(s, "memory", rest, rights);
	if (error < 0)
		exos_cap_end(rest);
	else
		error = exos_cap_drop(rest);
	return error;
}

static int grant_own(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error;

	error = grant_give(s, "env", c->env, EXO_R_CONTROL | EXO_R_NOTIFY | EXO_R_RUN | EXO_R_MAP |
			   EXO_R_GIVE);
	if (error >= 0)
		error = grant_give(s, "space", c->space, EXO_R_CONTROL | EXO_R_RUN);
	if (error >= 0)
		error = grant_give(s, "table", c->table, EXO_R_CONTROL | EXO_R_MAP);
	if (error >= 0)
		error = grant_give(s, "image", c->image, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC |
				   EXO_SHARE);
	if (error >= 0)
		error = grant_parent(s);
	if (error >= 0)
		error = grant_memory(s);
	return error;
}

int spawn_grant_all(struct spawn *s)
{
	struct exo_env_page *page = s->child->page;
	int error;

	page->open_lo = s->dst;
	page->open_hi = s->dst + s->tables * EXO_SLOTS_PER_FRAME;
	error = grant_own(s);
	if (error < 0)
		spawn_fail(s, "its own claims cannot be given to it", error);
	for (uint32_t i = 0; i < s->request->grants && error >= 0; i++) {
		error = grant_one(s, &s->request->grant[i]);
		if (error < 0)
			spawn_fail(s, "a claim asked for cannot be given to it", error);
	}
	page->open_lo = page->open_hi = 0;
	if (error >= 0)
		spawn_describe(s);
	return error;
}

/* Copy the arguments behind the grants, with the addresses the child sees them at. */
static uint64_t describe_arguments(struct spawn *s)
{
	uint8_t *base = (uint8_t *)s->grant;
	uint64_t list = (uint64_t)s->grants * sizeof(struct exos_grant);
	uint64_t *argv = (uint64_t *)(base + list);
	uint64_t at = list + ((uint64_t)s->request->argc + 1) * sizeof(char *);

	for (int i = 0; i < s->request->argc; i++) {
		size_t bytes = strlen(s->request->argv[i]) + 1;

		memcpy(base + at, s->request->argv[i], bytes);
		argv[i] = EXOS_START_VA + at;
		at += bytes;
	}
	argv[s->request->argc] = 0;
	return EXOS_START_VA + list;
}

static bool describe_has(const struct spawn *s, const char *name)
{
	for (uint32_t i = 0; i < s->grants; i++)
		if (strcmp(s->grant[i].name, name) == 0)
			return true;
	return false;
}

/* The last part of argv[0], for whoever lists environments; a name has no other meaning. */
static void describe_name(const struct spawn *s, struct exos_start *start)
{
	const char *name = s->request->argc > 0 ? s->request->argv[0] : "";
	const char *slash = strrchr(name, '/');

	string_copy((char *)start->spare, slash ? slash + 1 : name, sizeof(start->spare));
}

void spawn_describe(struct spawn *s)
{
	const struct elf_segment *last = &s->program.segment[s->program.segments - 1];
	struct exos_start *start = (struct exos_start *)s->child->page->user;

	*start = (struct exos_start){
		.magic = EXOS_START_MAGIC,
		.page_va = EXOS_ENV_VA,
		.table_va = EXOS_TABLE_VA,
		.table_frames = s->tables,
		.version = EXOS_START_VERSION,
		.bytes = sizeof(*start),
		.image_lo = s->program.segment[0].va,
		.image_hi = last->va + last->pages * EXO_PAGE_SIZE,
		.grants_va = EXOS_START_VA,
		.argv_va = describe_arguments(s),
		.grants = s->grants,
		.argc = (uint32_t)s->request->argc,
		.tsc_hz = exos_tsc_hz(),
		.machine_va = describe_has(s, "export") ? EXOS_EXPORT_VA : 0,
	};
	describe_name(s, start);
}
