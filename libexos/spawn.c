/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - starting a program, waiting for it, taking it back.
 *
 * A child's memory, one claim M, is used from its low end: environment, table frames, image and
 * start block, top-level table, page tables; the rest is the child's own.  Invariant: every object
 * of the child hangs on M, so revoking M undoes a start at any stage of it.
 */
#include <exos/spawn.h>

#include <base/string.h>
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/heap.h>
#include <exos/slot.h>

#include "spawn_parts.h"

int spawn_fail(struct spawn *s, const char *why, int error)
{
	s->child->why = why;
	return error;
}

exo_slot *spawn_slots(struct exos_child *child)
{
	return child->more ? child->more : child->few;
}

int spawn_room(struct exos_child *child, uint32_t count)
{
	uint32_t few = ARRAY_LEN(child->few), have = child->more ? child->room : few;
	uint32_t room = have * 2;
	exo_slot *more;

	if (have - child->slots >= count)
		return 0;
	if (room - child->slots < count)
		room = child->slots + count;
	more = realloc(child->more, room * sizeof(*more));
	if (more == NULL)
		return -EXO_E_ROOM;
	if (child->more == NULL)
		memcpy(more, child->few, child->slots * sizeof(*more));
	/* Touched now: who writes it later may hold the lock that the pager takes. */
	memset(more + child->slots, 0, (room - child->slots) * sizeof(*more));
	child->more = more;
	child->room = room;
	return 0;
}

int spawn_keep(struct exos_child *child, exo_slot slot)
{
	int error = spawn_room(child, 1);

	if (error < 0)
		return error;
	spawn_slots(child)[child->slots++] = slot;
	return 0;
}

int spawn_narrow(struct spawn *s, enum spawn_slot which, uint64_t lo, uint64_t hi, uint32_t rights,
		 exo_slot *out)
{
	int64_t made = exo_cap_narrow(s->child->memory, spawn_sid(s, which), lo, hi, rights);

	*out = made < 0 ? 0 : (exo_slot)made;
	return made < 0 ? (int)made : 0;
}

int spawn_object(struct spawn *s, enum spawn_slot which, uint32_t kind, uint64_t arg,
		 uint64_t frames, exo_slot *out)
{
	struct exos_child *c = s->child;
	int64_t made;

	if (!range_fits(s->next - c->pfn, frames, c->frames))
		return spawn_fail(s, "its memory is too small for it", -EXO_E_ROOM);
	made = exo_retype(c->memory, spawn_sid(s, which), s->next, kind, arg);
	if (made < 0)
		return spawn_fail(s, "the kernel refuses to make its objects", (int)made);
	s->next += frames;
	*out = (exo_slot)made;
	return 0;
}

/* A further table frame; their slots are the first that are kept. */
static int spawn_table(struct spawn *s)
{
	struct exos_child *c = s->child;
	exo_slot table;
	int error;

	if (!range_fits(s->next - c->pfn, EXO_FRAMES_TABLE, c->frames))
		return spawn_fail(s, "its memory is too small for it", -EXO_E_ROOM);
	error = exos_cap_retype(c->memory, s->next, EXO_KIND_TABLE, c->env, &table);
	if (error < 0)
		return spawn_fail(s, "the kernel refuses to make its objects", error);
	s->next += EXO_FRAMES_TABLE;
	if ((error = spawn_keep(c, table)) < 0) {
		exos_cap_drop(table);
		return spawn_fail(s, "there is no memory to keep its claims", error);
	}
	return 0;
}

/* Take its memory out of ours. */
static int spawn_memory(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t frames = s->request->frames ? s->request->frames : EXOS_SPAWN_FRAMES;
	int64_t made;
	exo_slot from;
	int error;

	if ((c->run = exos_slot_alloc_run(SPAWN_SLOTS)) == 0)
		return spawn_fail(s, "there are no slots for its claims", -EXO_E_SLOT);
	s->cap = exos_cap_at(c->run);
	if ((error = exos_frame_alloc(frames, &c->pfn, &from)) < 0)
		return spawn_fail(s, "there is not that much memory in one piece", error);
	c->frames = frames;
	made = exo_cap_narrow(from, spawn_sid(s, SPAWN_MEMORY), c->pfn, c->pfn + frames,
			      EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_RETYPE);
	if (made < 0)
		return spawn_fail(s, "its memory cannot be split off", (int)made);
	c->memory = (exo_slot)made;
	s->next = c->pfn;
	return 0;
}

/* The start block has room for no more claims than the tables that are mapped. */
#define GRANTS_MOST ((EXOS_START_END - EXOS_START_VA) / sizeof(struct exos_grant))
_Static_assert(GRANTS_MOST / EXO_SLOTS_PER_FRAME + 2 <=
	       (EXOS_TABLE_END - EXOS_TABLE_VA) / EXO_PAGE_SIZE, "start.h");

/* Environment and table frames. */
static int spawn_env(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t claims = SPAWN_OWN_GRANTS + s->request->grants;
	int error;

	s->tables = (claims + EXO_SLOTS_PER_FRAME / 2) / EXO_SLOTS_PER_FRAME + 1;
	error = spawn_object(s, SPAWN_ENV, EXO_KIND_ENV, 0, EXO_FRAMES_ENV, &c->env);
	if (error < 0)
		return error;
	s->dst = (exo_sid)(s->next * EXO_SLOTS_PER_FRAME);
	error = spawn_object(s, SPAWN_TABLE, EXO_KIND_TABLE, c->env, EXO_FRAMES_TABLE, &c->table);
	for (uint64_t i = 1; i < s->tables && error >= 0; i++)
		error = spawn_table(s);
	return error;
}

/* Split off the frames of image and start block. */
static int spawn_split_image(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error = spawn_image_size(s);

	if (error < 0)
		return error;
	if (!range_fits(s->next - c->pfn, s->image_pages, c->frames))
		return spawn_fail(s, "its memory is too small for its image", -EXO_E_ROOM);
	error = spawn_narrow(s, SPAWN_IMAGE, s->next, s->next + s->image_pages,
			     EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC, &c->image);
	if (error < 0)
		return spawn_fail(s, "its image's memory cannot be split off", error);
	s->image_pfn = s->next;
	s->next += s->image_pages;
	return 0;
}

/* Pages of the image that are filled in here. */
static uint64_t window_pages(const struct spawn *s)
{
	return s->image_pages - s->unset_pages;
}

/* Map its environment page here, and behind it for a while what is filled in of its image. */
static int spawn_windows(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t pages = window_pages(s) + 1, va = exos_space_reserve(pages * EXO_PAGE_SIZE);
	const struct exo_map_op op[] = {
		{ .slot = c->env, .va = va, .pfn = c->pfn + 1, .pages = 1, .op = EXO_MAP,
		  .prot = EXO_R_READ | EXO_R_WRITE },
		{ .slot = c->image, .va = va + EXO_PAGE_SIZE, .pfn = s->image_pfn + s->unset_pages,
		  .pages = (uint32_t)(pages - 1), .op = EXO_MAP,
		  .prot = EXO_R_READ | EXO_R_WRITE },
	};
	int error = va ? 0 : -EXO_E_ROOM;

	if (!error && pages - 1 <= EXO_MAP_MAX)
		error = exos_space_update(&exos_space_own, op, ARRAY_LEN(op));
	else if (!error && !(error = exos_space_update(&exos_space_own, op, 1)))
		error = exos_space_map(&exos_space_own, op[1].va, op[1].slot, op[1].pfn, pages - 1,
				       op[1].prot);
	if (error < 0) {
		if (va)
			exos_space_window_end((void *)va, pages);
		return spawn_fail(s, "its pages cannot be mapped to fill them in", error);
	}
	c->page = (struct exo_env_page *)va;
	s->window = (uint8_t *)va + EXO_PAGE_SIZE;
	return 0;
}

static int spawn_space(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error = spawn_object(s, SPAWN_SPACE, EXO_KIND_SPACE, 0, EXO_FRAMES_PT, &c->space);

	if (error < 0)
		return error;
	return spawn_space_fill(s);
}

/* Ask to be told of its end, and put it into its space. */
static int spawn_ready(struct spawn *s)
{
	struct exos_child *c = s->child;
	int64_t error;

	error = exo_env_control(c->env, EXO_ENV_WATCH, c->event, 0);
	if (error < 0)
		return spawn_fail(s, "its end cannot be watched", (int)error);
	error = exo_env_control(c->env, EXO_ENV_SPACE, c->space, 0);
	if (error < 0)
		return spawn_fail(s, "it cannot be put into its space", (int)error);
	c->entry = s->program.entry;
	return 0;
}

static int spawn_events(struct spawn *s)
{
	s->child->event = exos_event_alloc();
	s->child->bell = exos_event_alloc();
	if (s->child->event == 0 || s->child->bell == 0)
		return spawn_fail(s, "all event entries are taken", -EXO_E_ROOM);
	return 0;
}

static int spawn_steps(struct spawn *s)
{
	int (*const step[])(struct spawn *) = {
		spawn_events, spawn_memory, spawn_env, spawn_split_image, spawn_windows,
		spawn_image_fill, spawn_space, spawn_grant_all, spawn_ready,
	};
	int error = 0;

	for (size_t i = 0; i < ARRAY_LEN(step) && error >= 0; i++)
		error = step[i](s);
	if (s->window != NULL)
		exos_space_window_end(s->window, window_pages(s));
	return error;
}

int exos_spawn(const struct exos_spawn *request, struct exos_child *child)
{
	struct spawn s = { .request = request, .child = child };
	const char *why;
	int error;

	memset(child, 0, sizeof(*child));
	why = elf_check(request->file, request->file_bytes, EXOS_IMAGE_VA, EXOS_IMAGE_END,
			&s.program);
	if (why != NULL)
		return spawn_fail(&s, why, -EXO_E_ARG);
	error = spawn_steps(&s);
	if (error >= 0 && !request->hold)
		error = exos_child_start(child);
	if (error >= 0)
		error = exos_child_time(child, request->time, request->times);
	if (error < 0) {
		why = child->why ? child->why : "it cannot be started";
		exos_child_end(child);
		child->why = why;
	}
	return error < 0 ? error : 0;
}

int exos_child_start(struct exos_child *child)
{
	return (int)exo_env_control(child->env, EXO_ENV_START, child->entry, EXOS_ENV_VA);
}

int exos_child_time(const struct exos_child *child, const struct exos_spawn_time *time,
		    uint32_t times)
{
	for (uint32_t i = 0; i < times; i++) {
		for (uint32_t n = time[i].lo; n < time[i].hi; n += time[i].step) {
			int64_t error = exo_slot_set(time[i].slot, n, child->env);

			if (error < 0)
				return (int)error;
		}
	}
	return 0;
}

bool exos_child_runs(const struct exos_child *child)
{
	return __atomic_load_n(&child->page->stop_reason, __ATOMIC_ACQUIRE) == EXO_STOP_RUNS;
}

uint32_t exos_child_wait(struct exos_child *child, uint64_t deadline_tsc)
{
	while (exos_child_runs(child))
		if (exos_event_wait(child->event, deadline_tsc) == 0 && deadline_tsc != 0)
			break;
	return __atomic_load_n(&child->page->stop_reason, __ATOMIC_ACQUIRE);
}

int exos_child_end(struct exos_child *child)
{
	int error = 0;

	if (child->memory != 0) {
		if ((error = exos_cap_revoke(child->memory)) < 0)
			return error;
		for (uint32_t i = 0; i < child->slots; i++)
			exos_slot_free(exo_slot_sid(spawn_slots(child)[i]));
		do
			error = (int)exo_cap_drop(child->memory);
		while (error == EXO_MORE);
	}
	if (child->run != 0)
		exos_slot_free_run(child->run, SPAWN_SLOTS);
	if (child->page != NULL)
		exos_space_window_end(child->page, 1);
	if (child->frames != 0)
		exos_frame_free(child->pfn, child->frames);
	if (child->event != 0)
		exos_event_free(child->event);
	if (child->bell != 0)
		exos_event_free(child->bell);
	if (child->more != NULL)
		free(child->more);
	memset(child, 0, sizeof(*child));
	return error;
}

const char *exos_stop_text(uint32_t stop_reason)
{
	static const char *const text[] = {
		[EXO_STOP_NEW] = "it was never started",
		[EXO_STOP_RUNS] = "it runs",
		[EXO_STOP_EXIT] = "it ended",
		[EXO_STOP_HOLDER] = "it was stopped",
		[EXO_STOP_FAULT] = "it was stopped by a fault that nobody handled",
		[EXO_STOP_SPACE] = "its space was taken away",
	};

	return stop_reason < ARRAY_LEN(text) ? text[stop_reason] : "it stopped";
}
