/* SPDX-License-Identifier: MIT */
/*
 * envs.c - the list of environments, from the owner map and their pages.
 *
 * An environment page is written by its program and may lie: names are made printable, numbers are
 * shown and not relied on.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/heap.h>
#include <exos/start.h>

#include "machine.h"

struct env_info *env_list_find(const struct env_list *list, uint64_t pfn)
{
	size_t lo = 0, hi = list->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (list->at[mid].pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < list->count && list->at[lo].pfn == pfn ? &list->at[lo] : NULL;
}

/* Frames come in order, so do environments. */
static void list_add(void *context, const struct frame_run *run)
{
	struct env_list *list = context;

	/* The environment page is the second frame of its environment. */
	if (run->use != EXO_USE_ENVPAGE)
		return;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 32;
		void *more = realloc(list->at, room * sizeof(list->at[0]));

		if (more == NULL)
			return;
		list->at = more;
		list->room = room;
	}
	memset(&list->at[list->count], 0, sizeof(list->at[0]));
	list->at[list->count].running = -1;
	list->at[list->count++].pfn = run->pfn - 1;
}

static void name_copy(char *out, const char *from, size_t bytes)
{
	size_t n = strnlen(from, min_u64(bytes, ENV_NAME - 1));

	for (size_t i = 0; i < n; i++)
		out[i] = from[i] > ' ' && from[i] < 0x7f ? from[i] : '?';
	out[n] = '\0';
}

static void page_read(struct env_info *e, const struct exo_env_page *page)
{
	const struct exos_start *start = (const struct exos_start *)page->user;

	e->readable = true;
	e->stop_reason = page->stop_reason;
	e->cpu = page->cpu;
	e->space = page->space_pfn;
	e->calls = page->calls;
	e->faults = page->faults;
	e->slices = page->slices;
	e->preempted = page->preempted;
	e->upcalls = page->upcalls;
	e->slices_begun = page->slots;
	e->packets = page->packets;
	e->blocks = page->blocks;
	e->invalidations = page->invalidations;
	e->vector_saves = page->vector_saves;
	e->copied = page->copied;
	e->exit_code = page->exit_code;
	if (start->magic == EXO_FIRST_MAGIC)
		name_copy(e->name, "init", 4);
	else if (start->magic == EXOS_START_MAGIC)
		name_copy(e->name, (const char *)start->spare, sizeof(start->spare));
}

static void frames_count(void *context, const struct frame_run *run)
{
	struct env_info *e = env_list_find(context, machine_holder(run->holder));

	if (e != NULL && run->use < EXO_USE_COUNT)
		e->frames[run->use] += run->count;
}

static void vectors_count(struct env_list *list)
{
	const struct exo_machine *m = exos_machine();

	for (uint32_t cpu = 0; cpu < m->cpus; cpu++) {
		const struct exo_vector *v = exos_machine_at(m->vectors_off + cpu * EXO_PAGE_SIZE);
		struct env_info *e = env_list_find(list, v->running);

		if (e != NULL)
			e->running = (int32_t)cpu;
		for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++)
			if ((e = env_list_find(list, v->slot[i].env)) != NULL)
				e->slots++;
	}
}

bool env_list_take(struct env_list *list)
{
	struct exo_env_page *page = malloc(sizeof(*page));

	memset(list, 0, sizeof(*list));
	if (page == NULL)
		return false;
	machine_frames(list_add, list);
	for (size_t i = 0; i < list->count; i++)
		if (machine_copy(list->at[i].pfn + 1, page))
			page_read(&list->at[i], page);
	free(page);
	machine_frames(frames_count, list);
	vectors_count(list);
	return list->count > 0;
}

void env_list_free(struct env_list *list)
{
	free(list->at);
	memset(list, 0, sizeof(*list));
}

const char *env_list_name(const struct env_list *list, uint64_t pfn, char out[ENV_NAME])
{
	const struct env_info *e = env_list_find(list, pfn);

	if (e != NULL && e->name[0] != '\0')
		string_copy(out, e->name, ENV_NAME);
	else
		format_buffer(out, ENV_NAME, "0x%lx", (unsigned long)pfn);
	return out;
}
