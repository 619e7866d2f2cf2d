/* SPDX-License-Identifier: MIT */
/*
 * worker.c - further environments of this program in its own space.
 *
 * Each has its environment page, a table frame, a demand-zero region for its stacks, filled
 * before it runs. From the first worker on every environment finds its page by its FS base.
 *
 * Invariant: all of a worker hangs on two claims, its ENV and its TABLE; its frames are the
 * allocator's.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/cap.h>
#include <exos/error.h>
#include <exos/frame.h>
#include <exos/lock.h>
#include <exos/space.h>
#include <exos/worker.h>

#define STACK_BYTES  (32u * 1024u)
#define UPCALL_BYTES (16u * 1024u)
#define DOUBLE_BYTES (8u * 1024u)

extern char exos_worker_fault[], exos_worker_slice[], exos_worker_event[], exos_worker_double[];
extern char exos_worker_window_lo[], exos_worker_window_hi[];
extern char exos_worker_entry[];

_Noreturn void exos_worker_run(struct exo_env_page *page);

_Noreturn void exos_worker_run(struct exo_env_page *page)
{
	struct exos_local *local = (void *)(page->user + EXOS_LOCAL_OFFSET);

	exos_exit(local->worker->start(local->worker->argument));
}

/* The first environment's own FS base; after that exos_page works for all. */
static void fs_base_begin(void)
{
	if (exos_worker_count++ == 0)
		insn_fs_base_set((uintptr_t)exos_page_first);
}

/* An object of fresh frames: its claim and first frame. */
static int object_make(uint64_t frames, uint32_t kind, uint64_t arg, exo_slot *slot, uint64_t *pfn)
{
	exo_slot claim;
	int err = exos_frame_alloc(frames, pfn, &claim);

	if (err < 0)
		return err;
	err = exos_cap_retype(claim, *pfn, kind, arg, slot);
	if (err < 0)
		exos_frame_free(*pfn, frames);
	return err;
}

static void object_end(uint64_t frames, exo_slot slot, uint64_t pfn)
{
	if (exos_cap_end(slot) == 0)
		exos_frame_free(pfn, frames);
}

static void page_fill(struct exos_worker *w)
{
	struct exo_env_page *page = w->page;
	struct exos_start *start = (void *)page->user;
	struct exos_local *local = (void *)(page->user + EXOS_LOCAL_OFFSET);

	*start = (struct exos_start){ .magic = EXOS_START_MAGIC, .page_va = (uintptr_t)page };
	*local = (struct exos_local){ .worker_rsp = w->stack.hi, .worker = w };
	page->upcall_rsp = w->stack.lo + UPCALL_BYTES;
	page->double_rsp = page->upcall_rsp + DOUBLE_BYTES;
	page->fault_rip = (uintptr_t)exos_worker_fault;
	page->double_rip = (uintptr_t)exos_worker_double;
	page->resume_lo = (uintptr_t)exos_worker_window_lo;
	page->resume_hi = (uintptr_t)exos_worker_window_hi;
	page->open_lo = w->table_pfn * EXO_SLOTS_PER_FRAME;
	page->open_hi = page->open_lo + EXO_SLOTS_PER_FRAME;
}

static int stacks_make(struct exos_worker *w)
{
	uint64_t bytes = STACK_BYTES + UPCALL_BYTES + DOUBLE_BYTES;
	int err = exos_region_make(&w->stack, bytes, "stacks of a worker");

	if (err < 0)
		return err;
	err = exos_region_fill(&w->stack, w->stack.lo, bytes >> EXO_PAGE_SHIFT);
	if (err < 0)
		exos_region_unmake(&w->stack);
	return err;
}

int exos_worker_make(struct exos_worker *w)
{
	int err;

	*w = (struct exos_worker){ .page = NULL };
	err = stacks_make(w);
	if (err < 0)
		return err;
	err = object_make(EXO_FRAMES_ENV, EXO_KIND_ENV, 0, &w->env, &w->env_pfn);
	if (err < 0)
		goto end_stacks;
	err = object_make(EXO_FRAMES_TABLE, EXO_KIND_TABLE, w->env, &w->table, &w->table_pfn);
	if (err < 0)
		goto end_env;
	w->page = exos_space_window(w->env, w->env_pfn + 1, 1, EXO_R_READ | EXO_R_WRITE, &err);
	if (!w->page)
		goto end_table;
	page_fill(w);
	fs_base_begin();
	err = (int)exo_env_control(w->env, EXO_ENV_SPACE, exos_own_space, 0);
	if (err == 0)
		err = (int)exo_env_control(w->env, EXO_ENV_FSBASE, (uintptr_t)w->page, 0);
	if (err < 0)
		goto end_page;
	return 0;
end_page:
	exos_space_window_end(w->page, 1);
end_table:
	object_end(EXO_FRAMES_TABLE, w->table, w->table_pfn);
end_env:
	object_end(EXO_FRAMES_ENV, w->env, w->env_pfn);
end_stacks:
	exos_region_unmake(&w->stack);
	return err;
}

int exos_worker_give(struct exos_worker *w, exo_slot claim, uint32_t rights, exo_slot *out)
{
	int64_t made;

	if (w->page->open_lo == w->page->open_hi)
		return -EXO_E_ROOM;
	made = exo_cap_give(claim, w->env, w->page->open_lo, rights);
	if (made < 0)
		return (int)made;
	w->page->open_lo++;
	*out = (exo_slot)made;
	return 0;
}

int exos_worker_start(struct exos_worker *w, int (*start)(void *argument), void *argument)
{
	w->start = start;
	w->argument = argument;
	return (int)exo_env_control(w->env, EXO_ENV_START, (uintptr_t)exos_worker_entry,
				    (uintptr_t)w->page);
}

void exos_worker_end(struct exos_worker *w)
{
	int64_t n;

	do
		n = exo_env_control(w->env, EXO_ENV_STOP, 0, 0);
	while (n == EXO_MORE);
	exos_space_window_end(w->page, 1);
	object_end(EXO_FRAMES_TABLE, w->table, w->table_pfn);
	object_end(EXO_FRAMES_ENV, w->env, w->env_pfn);
	exos_region_unmake(&w->stack);
}
