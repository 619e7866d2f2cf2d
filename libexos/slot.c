/* SPDX-License-Identifier: MIT */
/*
 * slot.c - free slots of the own capability table.
 *
 * The table's frames are listed in order of their frame numbers, each with one bit a slot.  The
 * list starts in the image and moves into pages of its own when it outgrows that.  Where the claims
 * of the frames themselves lie: nodes.h.
 *
 * Invariant: a bit is set from alloc to free; a table frame in the list is mapped; slots set aside
 * for frames' claims count as taken from the first.
 */
#include "core.h"
#include "nodes.h"
#include "table.h"

#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/error.h>
#include <exos/slot.h>
#include <exos/space.h>

#define FIRST    16u            /* entries in the image */
#define PER_PAGE (EXO_PAGE_SIZE / sizeof(struct table_frame))
#define NEAR     ((EXOS_TABLE_END - EXOS_TABLE_VA) / EXO_PAGE_SIZE)     /* frames mapped there */
#define RESERVE  16u            /* slots kept so that the table can always grow */

static struct table_frame first[FIRST] EXOS_UNSET;      /* [0, list.count) */
static struct table_list list = { first, 0, FIRST, 0, 0 };
static uint64_t initial_va, initial_frames;     /* where the starter mapped the first frames */
static exo_sid first_node[NODES_FIRST];         /* 0: not set aside yet */
static bool growing;

/* Where the n-th frame of the table is mapped; behind EXOS_SLOTS_END if there is no place. */
static uint64_t frame_va(uint64_t index)
{
	if (index < initial_frames)
		return initial_va + index * EXO_PAGE_SIZE;
	if (index < NEAR)
		return EXOS_TABLE_VA + index * EXO_PAGE_SIZE;
	return EXOS_SLOTS_VA + (index - NEAR) * EXO_PAGE_SIZE;
}

/* The sid of a frame's first slot. */
static exo_sid frame_base(uint64_t index)
{
	return (exo_sid)(exos_space_frame(frame_va(index)) * EXO_SLOTS_PER_FRAME);
}

const struct exo_cap *exos_cap_at(exo_sid sid)
{
	const struct table_frame *t = table_find(&list, sid / EXO_SLOTS_PER_FRAME);

	if (!t)
		return NULL;
	return (const struct exo_cap *)frame_va(t->index) + sid % EXO_SLOTS_PER_FRAME;
}

/* Room for another entry of the list: moves it into pages, or adds one. */
static int list_grow(void)
{
	uint64_t pages = list.at == first ? 0 : list.room / PER_PAGE;
	uint64_t va = EXOS_LIST_VA + pages * EXO_PAGE_SIZE;
	uint64_t pfn;
	exo_slot claim;
	int err;

	if (va >= EXOS_LIST_END)
		return -EXO_E_ROOM;
	err = core_frame_alloc(1, 1, &pfn, &claim);
	if (err < 0)
		return err;
	err = core_space_map(&exos_space_own, va, claim, pfn, 1, EXO_R_READ | EXO_R_WRITE);
	if (err < 0) {
		core_frame_free(pfn, 1);
		return err;
	}
	if (pages == 0) {
		memcpy((void *)va, first, sizeof(first));
		list.at = (struct table_frame *)va;
		list.room = 0;
	}
	list.room += PER_PAGE;
	return 0;
}

/* Set slots of the starting frames aside, while there are some. */
static void first_nodes_take(void)
{
	for (unsigned i = 0; i < NODES_FIRST && !first_node[i]; i++)
		first_node[i] = table_take(&list, 1);
}

/* The slot for the claim of the n-th frame that is added, or 0. */
static exo_sid node_sid(uint64_t n)
{
	struct node_place place = node_place(n);

	if (!place.first)
		return frame_base(initial_frames + place.frame) + place.slot;
	if (!first_node[place.slot])
		first_node[place.slot] = table_take(&list, 1);
	return first_node[place.slot];
}

/* Make one of our frames a table frame, and map it. */
static int frame_make(exo_slot claim, uint64_t pfn, uint64_t index)
{
	exo_sid sid = node_sid(index - initial_frames);
	int64_t table;
	int err;

	if (!sid)
		return -EXO_E_SLOT;
	table = exo_retype(claim, sid, pfn, EXO_KIND_TABLE, exos_own_env);
	if (table < 0)
		return (int)table;
	err = core_space_map(&exos_space_own, frame_va(index), (exo_slot)table, pfn, 1, EXO_R_READ);
	while (err < 0 && exo_cap_drop((exo_slot)table) == EXO_MORE)
		continue;
	return err;
}

/* Make a frame into another table frame of ours and enter it. */
static int frame_add(void)
{
	uint64_t pfn, index = list.count;
	exo_slot claim;
	int err;

	if (index == list.room && (err = list_grow()) < 0)
		return err;
	if (frame_va(index) >= EXOS_SLOTS_END)
		return -EXO_E_ROOM;
	err = core_frame_alloc(1, 1, &pfn, &claim);
	if (err < 0)
		return err;
	err = frame_make(claim, pfn, index);
	if (err < 0)
		core_frame_free(pfn, 1);
	else
		table_insert(&list, pfn, (uint32_t)index,
			     node_is_directory(index - initial_frames) ? ~0ul : 0);
	return err;
}

/* Add a frame with free slots, behind a directory if it is time for one. */
static int table_grow(void)
{
	int err;

	first_nodes_take();
	do
		err = frame_add();
	while (err == 0 && node_is_directory(list.count - 1 - initial_frames));
	return err;
}

/* Grow in time: growing itself takes slots. */
static void table_keep_reserve(void)
{
	if (growing || table_free(&list) > RESERVE)
		return;
	growing = true;
	table_grow();           /* failing is noticed when the reserve is used up */
	growing = false;
}

exo_sid core_slot_alloc(void)
{
	exo_sid sid;

	table_keep_reserve();
	sid = table_take(&list, 1);
	return sid;
}

void core_slot_free(exo_sid sid)
{
	if (!table_give(&list, sid, 1))
		exos_panic("slot 0x%x was given back but not taken", (unsigned)sid);
}

exo_sid exos_slot_alloc(void)
{
	return exos_slot_alloc_run(1);
}

exo_sid exos_slot_alloc_run(unsigned count)
{
	exo_sid sid = 0;

	if (count == 0 || count > EXO_SLOTS_PER_FRAME)
		return 0;
	exos_core_take();
	table_keep_reserve();
	sid = table_take(&list, count);
	if (!sid && !growing) {
		growing = true;
		if (table_grow() == 0)
			sid = table_take(&list, count);
		growing = false;
	}
	exos_core_drop();
	return sid;
}

void exos_slot_free(exo_sid sid)
{
	exos_slot_free_run(sid, 1);
}

void exos_slot_free_run(exo_sid sid, unsigned count)
{
	bool ok;

	exos_core_take();
	ok = table_give(&list, sid, count);
	exos_core_drop();
	if (!ok)
		exos_panic("slots from 0x%x were given back but not taken", (unsigned)sid);
}

unsigned exos_slot_free_count(void)
{
	return (unsigned)table_free(&list);
}

unsigned exos_slot_frames(void)
{
	return (unsigned)list.count;
}

/* Is the slot set aside for a frame's claim? */
static bool is_node(const struct table_frame *t, exo_sid sid)
{
	if (t->index >= initial_frames && node_is_directory(t->index - initial_frames))
		return true;
	for (unsigned i = 0; i < NODES_FIRST; i++)
		if (first_node[i] == sid)
			return true;
	return false;
}

/* May a sweep free this slot, which is empty? */
static bool may_free(const struct table_frame *t, exo_sid sid)
{
	const struct exo_env_page *page = exos_page_first;

	return !(sid >= page->open_lo && sid < page->open_hi) && !is_node(t, sid);
}

unsigned exos_slot_sweep(void)
{
	unsigned freed = 0;

	exos_core_take();
	for (uint64_t i = 0; i < list.count; i++) {
		const struct exo_cap *cap = (const struct exo_cap *)frame_va(list.at[i].index);
		exo_sid base = list.at[i].pfn * EXO_SLOTS_PER_FRAME;

		for (unsigned s = 0; s < EXO_SLOTS_PER_FRAME; s++)
			if (cap[s].kind == EXO_KIND_NONE && may_free(&list.at[i], base + s) &&
			    table_give(&list, base + s, 1))
				freed++;
	}
	exos_core_drop();
	return freed;
}

void exos_slot_repair(exo_sid sid)
{
	exos_core_take();
	table_give(&list, sid, 1);
	exos_core_drop();
}

void exos_slot_each(core_slot_visitor *visit, void *context)
{
	for (uint64_t i = 0; i < list.count; i++) {
		const struct exo_cap *cap = (const struct exo_cap *)frame_va(list.at[i].index);
		exo_sid base = list.at[i].pfn * EXO_SLOTS_PER_FRAME;

		for (unsigned s = 0; s < EXO_SLOTS_PER_FRAME; s++)
			visit(base + s, &cap[s], context);
	}
}

/* The slots that are in use when the program starts. */
static uint64_t taken_at_start(const struct exo_cap *cap)
{
	uint64_t taken = 0;

	for (unsigned s = 0; s < EXO_SLOTS_PER_FRAME; s += 4, cap += 4) {
		if (!(cap[0].kind | cap[1].kind | cap[2].kind | cap[3].kind))
			continue;
		for (unsigned i = 0; i < 4; i++)
			taken |= (uint64_t)(cap[i].kind != EXO_KIND_NONE) << (s + i);
	}
	return taken;
}

void exos_slot_setup(uint64_t table_va, uint64_t frames)
{
	initial_va = table_va;
	initial_frames = frames < FIRST ? frames : FIRST;
	for (uint64_t i = 0; i < initial_frames; i++) {
		uint64_t pfn = exos_space_frame(frame_va(i));

		table_insert(&list, pfn, (uint32_t)i,
			     taken_at_start((const struct exo_cap *)frame_va(i)));
	}
	/* Slot 0 of frame 0 does not exist; frame 0 is never a table. */
}
