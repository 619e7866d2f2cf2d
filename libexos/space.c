/* SPDX-License-Identifier: MIT */
/*
 * space.c - mapping, with page tables made when they are missed.
 *
 * A range is cut where page tables end, so that each entry of a batch needs one table: what
 * a refused entry lacks is then known without looking into the space.
 *
 * Invariant: a page table that could not be linked is taken apart again.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>

struct exos_space exos_space_own;

#define TABLE_BYTES(level) (1ul << (12 + 9 * (level)))  /* what a table of this level covers */

static int tables_frames(struct exos_space *space, uint64_t *pfn, exo_slot *claim)
{
	if (space->tables)
		return space->tables(space, EXO_FRAMES_PT, pfn, claim);
	return core_frame_alloc(EXO_FRAMES_PT, 1, pfn, claim);
}

static int update_one(struct exos_space *space, const struct exo_map_op *op)
{
	int64_t n = exo_space_update(space->slot, (uintptr_t)op, 1);

	if (n < 0)
		return (int)n;
	return n == 1 ? 0 : -EXO_E_ARG;
}

static int table_make(struct exos_space *space, uint64_t va, int level);

static int table_link(struct exos_space *space, exo_slot table, uint64_t va, int level)
{
	struct exo_map_op op = { .slot = table, .va = va, .op = EXO_LINK };
	int err = update_one(space, &op);

	if (err != -EXO_E_NOTABLE || level == 3)
		return err;
	err = table_make(space, va, level + 1);
	return err < 0 ? err : update_one(space, &op);
}

/* Make the table of `level` (1 to 3) for va, and those above it that are missing. */
static int table_make(struct exos_space *space, uint64_t va, int level)
{
	uint64_t pfn;
	exo_slot claim, table;
	int err = tables_frames(space, &pfn, &claim);

	if (err < 0)
		return err;
	err = core_cap_retype(claim, pfn, EXO_KIND_PT, (uint64_t)level, &table);
	if (err < 0)
		goto free_frames;
	err = table_link(space, table, va, level);
	if (err < 0)
		goto end_table;
	if (space->linked)
		space->linked(space, table, level);
	return 0;
end_table:
	core_cap_drop(table);
	if (err == -EXO_E_MAPPED)       /* there is one already */
		err = 0;
free_frames:
	if (!space->tables)
		core_frame_free(pfn, EXO_FRAMES_PT);
	return err;
}

/* The level of the table that holds entries of this size. */
static int size_level(uint32_t prot)
{
	return prot & EXO_SIZE_1G ? 3 : prot & EXO_SIZE_2M ? 2 : 1;
}

/* One entry, which needs one table; made if it is missing. */
static int update_made(struct exos_space *space, const struct exo_map_op *op)
{
	int err = update_one(space, op);

	if (err != -EXO_E_NOTABLE)
		return err;
	if (op->op == EXO_UNMAP)
		return 0;
	if (op->op != EXO_MAP)
		return err;
	err = table_make(space, op->va, size_level(op->prot));
	return err < 0 ? err : update_one(space, op);
}

/* Entries of one batch, each within one table; what stops it is mended and it goes on. */
static int batch_run(struct exos_space *space, const struct exo_map_op *ops, uint64_t count)
{
	uint64_t done = 0;

	while (done < count) {
		int64_t n = exo_space_update(space->slot, (uintptr_t)(ops + done), count - done);
		int err;

		if (n > 0) {
			done += (uint64_t)n;
			continue;
		}
		err = update_made(space, ops + done);
		if (err < 0)
			return err;
		done++;
	}
	return 0;
}

/* Cut one entry where tables end and run the pieces, some at a time. */
static int op_run(struct exos_space *space, const struct exo_map_op *op, uint64_t pages)
{
	int level = op->op == EXO_MAP ? size_level(op->prot) : 1;
	uint64_t page = TABLE_BYTES(level - 1), va = op->va, pfn = op->pfn;
	struct exo_map_op cut[8];
	unsigned n = 0;
	int err;

	while (pages) {
		uint64_t left = (TABLE_BYTES(level) - (va & (TABLE_BYTES(level) - 1))) / page;
		uint64_t some = min_u64(pages, max_u64(left, 1));

		cut[n] = *op;
		cut[n].va = va;
		cut[n].pfn = pfn;
		cut[n++].pages = (uint32_t)some;
		va += some * page;
		pfn += some * page >> EXO_PAGE_SHIFT;
		pages -= some;
		if (n < ARRAY_LEN(cut) && pages)
			continue;
		err = batch_run(space, cut, n);
		if (err < 0)
			return err;
		n = 0;
	}
	return 0;
}

/* The common case: one entry within one table, which is there. */
static int op_quick(struct exos_space *space, const struct exo_map_op *op, uint64_t pages)
{
	if (pages == 1 && exo_space_update(space->slot, (uintptr_t)op, 1) == 1)
		return 0;
	return op_run(space, op, pages);
}

static __attribute__((noinline)) int op_locked(struct exos_space *space,
					       const struct exo_map_op *op, uint64_t pages)
{
	int err;

	exos_core_take();
	err = op_run(space, op, pages);
	exos_core_drop();
	return err;
}

/*
 * The same for who has not the core lock.  The kernel changes an entry at once or not at all, so
 * the lock is for what comes then: tables that are to be made.
 */
static inline int op_alone(struct exos_space *space, const struct exo_map_op *op, uint64_t pages)
{
	if (pages == 1 && exo_space_update(space->slot, (uintptr_t)op, 1) == 1)
		return 0;
	return op_locked(space, op, pages);
}

static inline struct exo_map_op op_map(uint64_t va, exo_slot claim, uint64_t pfn, uint32_t prot)
{
	return (struct exo_map_op){
		.slot = claim, .va = va, .pfn = pfn, .pages = 1, .op = EXO_MAP,
		.prot = (uint16_t)prot,
	};
}

static inline struct exo_map_op op_unmap(uint64_t va)
{
	return (struct exo_map_op){ .va = va, .pages = 1, .op = EXO_UNMAP };
}

static inline struct exo_map_op op_protect(uint64_t va, uint32_t prot)
{
	return (struct exo_map_op){
		.va = va, .pages = 1, .op = EXO_PROTECT, .prot = (uint16_t)prot,
	};
}

int core_space_map(struct exos_space *space, uint64_t va, exo_slot claim, uint64_t pfn,
		   uint64_t pages, uint32_t prot)
{
	struct exo_map_op op = op_map(va, claim, pfn, prot);

	return op_quick(space, &op, pages);
}

int core_space_unmap(struct exos_space *space, uint64_t va, uint64_t pages)
{
	struct exo_map_op op = op_unmap(va);

	return op_quick(space, &op, pages);
}

int core_space_protect(struct exos_space *space, uint64_t va, uint64_t pages, uint32_t prot)
{
	struct exo_map_op op = op_protect(va, prot);

	return op_quick(space, &op, pages);
}

int exos_space_map(struct exos_space *space, uint64_t va, exo_slot claim, uint64_t pfn,
		   uint64_t pages, uint32_t prot)
{
	struct exo_map_op op = op_map(va, claim, pfn, prot);

	return op_alone(space, &op, pages);
}

int exos_space_unmap(struct exos_space *space, uint64_t va, uint64_t pages)
{
	struct exo_map_op op = op_unmap(va);

	return op_alone(space, &op, pages);
}

int exos_space_protect(struct exos_space *space, uint64_t va, uint64_t pages, uint32_t prot)
{
	struct exo_map_op op = op_protect(va, prot);

	return op_alone(space, &op, pages);
}

/* An entry was refused: cut it where tables end if that was why. */
static int op_retry(struct exos_space *space, const struct exo_map_op *op, int err)
{
	if (err != -EXO_E_NOTABLE || op->op == EXO_LINK || op->op == EXO_UNLINK)
		return err;
	return op_run(space, op, op->pages);
}

int exos_space_update(struct exos_space *space, const struct exo_map_op *ops, uint64_t count)
{
	int err = 0;

	exos_core_take();
	for (uint64_t done = 0; done < count && err == 0;) {
		uint64_t some = min_u64(count - done, EXO_BATCH_MAX);
		int64_t n = exo_space_update(space->slot, (uintptr_t)(ops + done), some);

		if (n > 0) {
			done += (uint64_t)n;
			continue;
		}
		err = op_retry(space, &ops[done], n < 0 ? (int)n : -EXO_E_ARG);
		done++;
	}
	exos_core_drop();
	return err;
}

int exos_space_prepare(struct exos_space *space, uint64_t va, uint64_t pages)
{
	uint64_t end = va + (pages << EXO_PAGE_SHIFT);
	int err = 0;

	exos_core_take();
	for (va = round_down(va, TABLE_BYTES(1)); va < end && err == 0; va += TABLE_BYTES(1))
		err = table_make(space, va, 1);
	exos_core_drop();
	return err;
}
