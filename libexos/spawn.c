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

int spawn_room(struct exos_child *child, uint32_t count)
{
	uint32_t room = child->room ? child->room * 2 : 16;
	exo_slot *more;

	if (child->room - child->slots >= count)
		return 0;
	if (room - child->slots < count)
		room = child->slots + count;
	more = realloc(child->slot, room * sizeof(*more));
	if (more == NULL)
		return -EXO_E_ROOM;
	/* Touched now: who writes it later may hold the lock that the pager takes. */
	memset(more + child->slots, 0, (room - child->slots) * sizeof(*more));
	child->slot = more;
	child->room = room;
	return 0;
}

int spawn_keep(struct exos_child *child, exo_slot slot)
{
	int error = spawn_room(child, 1);

	if (error < 0)
		return error;
	child->slot[child->slots++] = slot;
	return 0;
}

/* Retype the next `frames` frames of the child's memory into an object. */
static int spawn_object(struct spawn *s, uint32_t kind, uint64_t arg, uint64_t frames,
			exo_slot *out)
{
	struct exos_child *c = s->child;
	int error;

	if (!range_fits(s->next - c->pfn, frames, c->frames))
		return spawn_fail(s, "its memory is too small for it", -EXO_E_ROOM);
	error = exos_cap_retype(c->memory, s->next, kind, arg, out);
	if (error < 0)
		return spawn_fail(s, "the kernel refuses to make its objects", error);
	s->next += frames;
	if ((error = spawn_keep(c, *out)) < 0) {
		exos_cap_drop(*out);
		return spawn_fail(s, "there is no memory to keep its claims", error);
	}
	return 0;
}

/* Take its memory out of ours. */
static int spawn_memory(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t frames = s->request->frames ? s->request->frames : EXOS_SPAWN_FRAMES;
	exo_slot from;
	int error;

	if ((error = exos_frame_alloc(frames, &c->pfn, &from)) < 0)
		return spawn_fail(s, "there is not that much memory in one piece", error);
	c->frames = frames;
	error = exos_cap_narrow(from, c->pfn, c->pfn + frames, EXO_R_READ | EXO_R_WRITE |
				EXO_R_EXEC | EXO_R_RETYPE, &c->memory);
	if (error < 0)
		return spawn_fail(s, "its memory cannot be split off", error);
	s->next = c->pfn;
	return 0;
}

/* The start block has room for no more claims than the tables that are mapped. */
#define GRANTS_MOST ((EXOS_START_END - EXOS_START_VA) / sizeof(struct exos_grant))
_Static_assert(GRANTS_MOST / EXO_SLOTS_PER_FRAME + 2 <=
	       (EXOS_TABLE_END - EXOS_TABLE_VA) / EXO_PAGE_SIZE, "start.h");

/* Environment and table frames, and the environment page for us to write to. */
static int spawn_env(struct spawn *s)
{
	struct exos_child *c = s->child;
	uint64_t claims = SPAWN_OWN_GRANTS + s->request->grants;
	exo_slot table;
	int error;

	s->tables = (claims + EXO_SLOTS_PER_FRAME / 2) / EXO_SLOTS_PER_FRAME + 1;
	if ((error = spawn_object(s, EXO_KIND_ENV, 0, EXO_FRAMES_ENV, &c->env)) < 0)
		return error;
	s->dst = (exo_sid)(s->next * EXO_SLOTS_PER_FRAME);
	for (uint64_t i = 0; i < s->tables; i++) {
		error = spawn_object(s, EXO_KIND_TABLE, c->env, EXO_FRAMES_TABLE, &table);
		if (error < 0)
			return error;
		if (i == 0)
			c->table = table;
	}
	c->page = exos_space_window(c->env, c->pfn + 1, 1, EXO_R_READ | EXO_R_WRITE, &error);
	return c->page ? 0 : spawn_fail(s, "its environment page cannot be mapped", error);
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
	error = exos_cap_narrow(c->memory, s->next, s->next + s->image_pages,
				EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC, &c->image);
	if (error < 0)
		return spawn_fail(s, "its image's memory cannot be split off", error);
	s->image_pfn = s->next;
	s->next += s->image_pages;
	if ((error = spawn_keep(c, c->image)) < 0) {
		exos_cap_end(c->image);
		return spawn_fail(s, "there is no memory to keep its claims", error);
	}
	return 0;
}

static int spawn_space(struct spawn *s)
{
	struct exos_child *c = s->child;
	int error = spawn_object(s, EXO_KIND_SPACE, 0, EXO_FRAMES_PT, &c->space);

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
		spawn_events, spawn_memory, spawn_env, spawn_split_image,
		spawn_image_fill, spawn_space, spawn_grant_all, spawn_ready,
	};
	int error = 0;

	for (size_t i = 0; i < ARRAY_LEN(step) && error >= 0; i++)
		error = step[i](s);
	if (s->window != NULL)
		exos_space_window_end(s->window, s->image_pages);
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
			exos_slot_free(exo_slot_sid(child->slot[i]));
		error = exos_cap_drop(child->memory);
	}
	if (child->page != NULL)
		exos_space_window_end(child->page, 1);
	if (child->frames != 0)
		exos_frame_free(child->pfn, child->frames);
	if (child->event != 0)
		exos_event_free(child->event);
	if (child->bell != 0)
		exos_event_free(child->bell);
	free(child->slot);
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
