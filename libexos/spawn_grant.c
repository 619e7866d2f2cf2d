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

#include "core.h"
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

/* Enter a claim of the child, or with slot 0 only the numbers, into its list, which is zero. */
static void grant_note(struct spawn *s, const char *name, exo_slot slot, const struct exo_cap *c)
{
	struct exos_grant *g = &s->grant[s->grants++];

	for (unsigned i = 0; i < sizeof(g->name) - 1 && name[i]; i++)
		g->name[i] = name[i];
	g->slot = slot;
	g->lo = c->lo;
	g->hi = c->hi;
	g->kind = c->kind;
	g->unit = c->unit;
}

/* Derive the whole of a claim, which was looked at, into the child's next slot. */
static int grant_seen(struct spawn *s, const char *name, exo_slot slot, const struct exo_cap *c,
		      uint32_t rights)
{
	int64_t given = exo_cap_give(slot, s->child->env, s->dst, rights);

	if (given < 0)
		return (int)given;
	s->dst++;
	grant_note(s, name, (exo_slot)given, c);
	return 0;
}

/* The same for any of ours. */
static int grant_give(struct spawn *s, const char *name, exo_slot slot, uint32_t rights)
{
	const struct exo_cap *c = exos_cap_look(slot);
	struct exo_cap seen;

	if (c == NULL)
		return -EXO_E_STALE;
	seen = *c;
	return grant_seen(s, name, slot, &seen, rights);
}

/* The same for one in a slot that every child takes. */
static int grant_made(struct spawn *s, const char *name, enum spawn_slot which, uint32_t rights)
{
	const struct exo_cap *c = &s->cap[which];

	return grant_seen(s, name, exo_slot_make(spawn_sid(s, which), c->gen), c, rights);
}

/* Give what is in SPAWN_BETWEEN, and step out from between, or end it if it cannot be given. */
static int grant_between(struct spawn *s, const char *name, exo_slot slot, uint32_t rights)
{
	int error = grant_made(s, name, SPAWN_BETWEEN, rights);
	int64_t n;

	if (error < 0)
		exos_cap_revoke(slot);
	do
		n = exo_cap_drop(slot);
	while (n == EXO_MORE);
	return error < 0 ? error : (int)n;
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
	int64_t bell = exo_doorbell(exos_own_env, spawn_sid(s, SPAWN_BETWEEN), s->child->bell,
				    EXO_R_NOTIFY);

	return bell < 0 ? (int)bell : grant_between(s, "parent", (exo_slot)bell, EXO_R_NOTIFY);
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
	if ((error = spawn_narrow(s, SPAWN_BETWEEN, s->next, end, rights, &rest)) < 0)
		return error;
	/* A failure ends it with the child. */
	if (s->request->clean && (error = grant_clean(rest, s->next, end)) < 0)
		return error;
	return grant_between(s, "memory", rest, rights);
}

static int grant_own(struct spawn *s)
{
	static const struct {
		const char *name;
		enum spawn_slot which;
		uint32_t rights;
	} own[] = {
		{ "env", SPAWN_ENV,
		  EXO_R_CONTROL | EXO_R_NOTIFY | EXO_R_RUN | EXO_R_MAP | EXO_R_GIVE },
		{ "space", SPAWN_SPACE, EXO_R_CONTROL | EXO_R_RUN },
		{ "table", SPAWN_TABLE, EXO_R_CONTROL | EXO_R_MAP },
		{ "image", SPAWN_IMAGE, EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_SHARE },
	};
	int error = 0;

	for (unsigned i = 0; i < ARRAY_LEN(own) && error >= 0; i++)
		error = grant_made(s, own[i].name, own[i].which, own[i].rights);
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
