/* SPDX-License-Identifier: MIT */
/*
 * space.c - the batched call that changes page-table entries.
 *
 * Each operation is checked as a whole, then done as a whole.  An entry is made only by a claim
 * that holds the frames or shares them, and with no more rights than it carries.  With a share of
 * tree_lock only leaf entries are changed, of one table, whose lock is held: by claims of frames,
 * in the space of an environment.
 */
#include "space.h"

#include <base/util.h>
#include <exo/errors.h>
#include <exo/nic.h>

#include "claim.h"
#include "env.h"
#include "frame.h"
#include "dev/pci_claim.h"
#include "table.h"
#include "tlb.h"

/* Functions that are compiled once for 4 KiB pages and once for all sizes. */
#define FOR_LEVEL static inline __attribute__((always_inline))
#define ONE_LEVEL static __attribute__((noinline))

/* A range of entries: `pages` of `level` at va; and the part of it that lies in one table. */
struct range {
	uint64_t space, va, pages;
	unsigned level;
	unsigned most;          /* entries of a part */
	uint64_t *pte;          /* first entry of the part, NULL: there is no table */
	uint64_t count;         /* entries of the part */
	bool big;               /* a large page is mapped there instead of a table */
	bool whole;             /* all of tree_lock is held */
};

FOR_LEVEL int range_check(const struct range *r)
{
	uint64_t bytes = r->pages << (3 + 9 * r->level);

	if (r->pages - 1 >= EXO_MAP_MAX || !range_fits(r->va, bytes, EXO_USER_TOP))
		return -EXO_E_RANGE;
	if (r->va & (level_bytes(r->level) - 1))
		return -EXO_E_ARG;
	/* The table's own slot is the kernel's. */
	if (r->va + bytes > EXO_SELF_VA && r->va < EXO_SELF_VA + level_bytes(4))
		return -EXO_E_RANGE;
	return 0;
}

/*
 * Entries of a part at most, and then interrupts are let in: those of 1 GiB pages count chunk by
 * chunk, and changing rights is soon done.
 */
FOR_LEVEL unsigned part_most(unsigned level, unsigned op)
{
	if (level == 3)
		return 1;
	return op == EXO_PROTECT ? 128 : 48;
}

/* Find the part that begins at va. */
FOR_LEVEL void range_part(struct range *r)
{
	unsigned index = pte_index(r->va, r->level);
	bool big;

	r->count = min_u64(min_u64(512 - index, r->most), r->pages);
	r->pte = r->level == 1 ? leaf_table(r->space, r->va, &big)
	                       : table_walk(r->space, r->va, r->level, &big);
	r->big = big;
	if (r->pte)
		r->pte += index;
}

/* Go on behind the part: false at the end of the range. */
FOR_LEVEL bool range_next(struct range *r)
{
	r->pages -= r->count;
	if (!r->pages)
		return false;
	interrupts_window();
	r->va += r->count << (3 + 9 * r->level);
	range_part(r);
	return true;
}

/* A guest writes its own code; what it may do with its memory is its monitor's affair. */
static int prot_check(uint64_t space, unsigned prot)
{
	if (prot & ~(EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC) || !(prot & EXO_R_READ))
		return -EXO_E_ARG;
	if (!(prot & EXO_R_WRITE) || !(prot & EXO_R_EXEC))
		return 0;
	return *table_link(space, TABLE_USE) == EXO_SPACE_GUEST ? 0 : -EXO_E_ARG;
}

/* Is it the page of packet rings that has their indices and counters? */
static bool is_packets_page(uint64_t pfn, enum exo_use use)
{
	const struct exo_cap *c = use == EXO_USE_RINGPAGE ? slot_at(frame_holder(pfn)) : NULL;

	return c && c->kind == EXO_KIND_PACKETS && pfn == c->lo + EXO_PACKETS_PAGE;
}

static int trace_check(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	enum exo_use use = frame_use(pfn);

	if (!(c->rights & EXO_R_READ))
		return -EXO_E_RIGHTS;
	if (count != 1)
		return -EXO_E_RANGE;
	if (use != EXO_USE_TABLE && use != EXO_USE_ENVPAGE && use != EXO_USE_PT &&
	    use != EXO_USE_FILTER && use != EXO_USE_PROG && !is_packets_page(pfn, use))
		return -EXO_E_USE;
	return slot_at(frame_holder(pfn))->held ? -EXO_E_MAPPED : EXO_R_READ;
}

/* The frames of an object that are its owner's to see, and to write but for a table's. */
static int pages_check(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	uint64_t lo = c->lo + 1, hi = c->lo + 2;
	int most = EXO_R_READ | EXO_R_WRITE;

	if (c->kind == EXO_KIND_PACKETS) {      /* all but the kernel's own two */
		lo = c->lo + EXO_PACKETS_PAGE;
		hi = c->hi;
	} else if (c->kind == EXO_KIND_RING) {
		hi++;
	} else if (c->kind == EXO_KIND_TABLE) {
		lo--;
		hi--;
		most = EXO_R_READ;
	}
	if (!(c->rights & EXO_R_MAP))
		return -EXO_E_RIGHTS;
	return pfn >= lo && range_fits(pfn - lo, count, hi - lo) ? most : -EXO_E_RANGE;
}

/* Which rights does the claim allow for mappings of these frames?  Negative: an error. */
static int claim_check(const struct exo_cap *c, const struct exo_map_op *op, uint64_t count)
{
	int err;

	if (c->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	switch (c->kind) {
	case EXO_KIND_FRAME:
		err = claim_holds(c, op->pfn, count);
		return err ? err : c->rights & (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC);
	case EXO_KIND_PCI:
		return pci_map_check(c, op->pfn, count);
	case EXO_KIND_ENV:
	case EXO_KIND_VCPU:
	case EXO_KIND_RING:
	case EXO_KIND_PACKETS:
	case EXO_KIND_TABLE:
		return pages_check(c, op->pfn, count);
	case EXO_KIND_TRACE:
		return trace_check(c, op->pfn, count);
	default:
		return -EXO_E_KIND;
	}
}

/*
 * Check each part of a range before anything is done.  Most ranges are one part, which is found
 * only once.
 */
FOR_LEVEL int parts_check(const struct range *r, int (*check)(const struct range *, unsigned),
			  unsigned arg)
{
	struct range rest;
	int err = check(r, arg);

	if (err || r->count == r->pages)
		return err;
	rest = *r;
	while (!err && range_next(&rest))
		err = check(&rest, arg);
	return err;
}

FOR_LEVEL int part_empty(const struct range *r, unsigned arg)
{
	(void)arg;
	if (!r->pte)
		return r->big ? -EXO_E_MAPPED : -EXO_E_NOTABLE;
	for (uint64_t i = 0; i < r->count; i++)
		if (r->pte[i] & PTE_P)
			return -EXO_E_MAPPED;
	return 0;
}

static uint64_t map_value(const struct range *r, const struct exo_map_op *op,
			  const struct exo_cap *c)
{
	uint64_t value =
		op->pfn << EXO_PAGE_SHIFT | prot_bits(op->prot) | (r->level > 1 ? PTE_PS : 0);

	if (c->kind == EXO_KIND_PCI || frame_use(op->pfn) == EXO_USE_DEVICE)
		value |= PTE_PCD | PTE_PWT;
	return value;
}

/* Devices reach plain frames only, and registers are mapped by small pages. */
FOR_LEVEL bool kind_maps(enum exo_kind kind, const struct range *r)
{
	if (kind == EXO_KIND_FRAME)
		return true;
	if (kind == EXO_KIND_PCI && r->level > 1)
		return false;
	return *table_link(r->space, TABLE_USE) != EXO_SPACE_DEVICE;
}

FOR_LEVEL int space_map(struct env *e, struct range *r, const struct exo_map_op *op)
{
	unsigned prot = op->prot & EXO_R_ALL;
	uint64_t frames_each = level_frames(r->level), value;
	struct exo_cap *c;
	int err = prot_check(r->space, prot), most;

	if (err || (err = claim_any(e, op->slot, &c)) < 0)
		return err;
	if (!r->whole && c->kind != EXO_KIND_FRAME)
		return SPACE_WHOLE;
	if (op->pfn & (frames_each - 1))
		return -EXO_E_ARG;
	if (!kind_maps(c->kind, r))
		return -EXO_E_KIND;
	if ((most = claim_check(c, op, r->pages * frames_each)) < 0)
		return most;
	if (prot & ~(unsigned)most)
		return -EXO_E_RIGHTS;
	if ((err = parts_check(r, part_empty, 0)) < 0)
		return err;

	value = map_value(r, op, c);
	do {
		entries_install(r->pte, r->level, r->count, value, c, (uint32_t)most);
		value += r->count * frames_each << EXO_PAGE_SHIFT;
	} while (range_next(r));
	if (c->kind == EXO_KIND_TRACE)
		slot_at(frame_holder(op->pfn))->held = c->bind;
	if (c->kind == EXO_KIND_PCI)
		pci_use(c);
	return 0;
}

FOR_LEVEL int part_leaves(const struct range *r, unsigned arg)
{
	(void)arg;
	if (!r->pte)
		return r->big ? -EXO_E_NOTABLE : 0;
	for (uint64_t i = 0; i < r->count; i++)
		if ((r->pte[i] & PTE_P) && !entry_is_leaf(r->pte[i], r->level))
			return -EXO_E_USE;
	return 0;
}

FOR_LEVEL int space_unmap(struct range *r)
{
	int err = parts_check(r, part_leaves, 0);

	if (err)
		return err;
	do {
		uint64_t n = 0;

		for (uint64_t i = 0, some; r->pte && i < r->count; i += some) {
			some = 1;
			if (!(r->pte[i] & PTE_P))
				continue;
			if (r->level == 1 && r->count > 1)
				some = run_remove(&r->pte[i], (unsigned)(r->count - i));
			else
				entry_remove(&r->pte[i], r->level);
			n = i + some;
		}
		if (n)
			tlb_note(r->space, r->va, n, level_bytes(r->level), true);
	} while (range_next(r));
	return 0;
}

FOR_LEVEL int part_may(const struct range *r, unsigned prot)
{
	const struct shadow *s;
	const uint64_t *pte = r->pte;

	if (!pte)
		return -EXO_E_NOTABLE;
	s = shadow_of(pte);
	for (uint64_t i = r->count; i; i--, pte++, s++) {
		if (!entry_is_leaf(*pte, r->level))
			return -EXO_E_NOTABLE;
		if (prot & ~s->most)
			return -EXO_E_RIGHTS;
	}
	return 0;
}

FOR_LEVEL int space_protect(struct range *r, unsigned prot)
{
	uint64_t bits = prot_bits(prot);
	int err = prot_check(r->space, prot);

	if (err || (err = parts_check(r, part_may, prot)) < 0)
		return err;
	do {
		uint64_t lost = 0, *pte = r->pte;

		for (uint64_t i = r->count; i; i--, pte++)
			lost |= entry_protect(pte, bits);
		tlb_note(r->space, r->va, r->count, level_bytes(r->level), lost != 0);
	} while (range_next(r));
	return 0;
}

static int space_link(struct env *e, uint64_t space, const struct exo_map_op *op)
{
	struct exo_cap *c;
	uint64_t *table, *pte;
	bool big;
	int err = claim_ready(e, op->slot, EXO_KIND_PT, EXO_R_CONTROL, &c);

	if (err)
		return err;
	if (op->va >= EXO_USER_TOP || pte_index(op->va, 4) == EXO_SELF_SLOT)
		return -EXO_E_RANGE;
	if (*table_link(c->lo, TABLE_PARENT))
		return -EXO_E_MAPPED;
	table = table_walk(space, op->va, c->unit + 1, &big);
	if (!table)
		return big ? -EXO_E_MAPPED : -EXO_E_NOTABLE;
	pte = &table[pte_index(op->va, c->unit + 1)];
	if (*pte & PTE_P)
		return -EXO_E_MAPPED;

	*table_link(virt_to_phys(table) >> EXO_PAGE_SHIFT,
		    c->unit < 3 ? TABLE_GROUPS : TABLE_TOP_GROUPS) |= group_of(pte);
	*table_link(c->lo, TABLE_PARENT) = virt_to_phys(pte) / 8;
	*pte = c->lo << EXO_PAGE_SHIFT | PTE_P | PTE_W | PTE_U;
	return 0;
}

static int space_unlink(uint64_t space, const struct exo_map_op *op)
{
	unsigned level = op->prot;
	uint64_t *table, *pte;
	bool big;

	if (level < 1 || level > 3)
		return -EXO_E_ARG;
	if (op->va >= EXO_USER_TOP || pte_index(op->va, 4) == EXO_SELF_SLOT)
		return -EXO_E_RANGE;
	table = table_walk(space, op->va, level + 1, &big);
	if (!table)
		return -EXO_E_NOTABLE;
	pte = &table[pte_index(op->va, level + 1)];
	if (!(*pte & PTE_P) || (*pte & PTE_PS))
		return -EXO_E_NOTABLE;

	leaves_forget();
	*table_link(pte_pfn(*pte), TABLE_PARENT) = 0;
	*pte = 0;
	tlb_note_all(space);
	return 0;
}

FOR_LEVEL int range_change(struct env *e, struct range *r, const struct exo_map_op *op)
{
	if (op->op == EXO_PROTECT)
		return space_protect(r, op->prot & EXO_R_ALL);
	if (op->op == EXO_MAP)
		return space_map(e, r, op);
	return space_unmap(r);
}

FOR_LEVEL int range_apply(struct env *e, uint64_t space, const struct exo_map_op *op,
			  unsigned level, bool whole)
{
	struct range r = { .space = space, .va = op->va, .pages = op->pages, .level = level,
		           .most = part_most(level, op->op), .whole = whole };
	struct lock *lock = NULL;
	int err = range_check(&r);

	if (err)
		return err;
	range_part(&r);
	if (!whole && pte_index(r.va, level) + r.pages > 512)
		return SPACE_WHOLE;
	if (!whole && r.pte)
		lock_take(lock = table_lock(r.pte));
	err = range_change(e, &r, op);
	if (lock)
		lock_release(lock);
	return err;
}

ONE_LEVEL int small_apply(struct env *e, uint64_t space, const struct exo_map_op *op, bool whole)
{
	return range_apply(e, space, op, 1, whole);
}

ONE_LEVEL int large_apply(struct env *e, uint64_t space, const struct exo_map_op *op, bool whole)
{
	switch (op->prot & (EXO_SIZE_2M | EXO_SIZE_1G)) {
	case EXO_SIZE_2M:
		return range_apply(e, space, op, 2, whole);
	case EXO_SIZE_1G:
		return range_apply(e, space, op, 3, whole);
	default:
		return -EXO_E_ARG;
	}
}

static int op_apply(struct env *e, uint64_t space, const struct exo_map_op *op, bool whole)
{
	if (op->op >= EXO_MAP && op->op <= EXO_PROTECT) {
		if (op->prot & (EXO_SIZE_2M | EXO_SIZE_1G))
			return large_apply(e, space, op, whole);
		return small_apply(e, space, op, whole);
	}
	if (!whole)
		return SPACE_WHOLE;
	if (op->op == EXO_LINK)
		return space_link(e, space, op);
	if (op->op == EXO_UNLINK)
		return space_unlink(space, op);
	return -EXO_E_ARG;
}

/*
 * A device's tables are read by a unit that may not look into the processor's caches, so it is
 * told of additions too.  Of its translations, and guests', one CPU at a time makes an end.
 */
int space_apply(struct env *e, uint64_t space, const struct exo_map_op *op, bool whole)
{
	uint64_t use = *table_link(space, TABLE_USE);
	int err;

	if (!whole && use != EXO_SPACE_ENV)
		return SPACE_WHOLE;
	err = op_apply(e, space, op, whole);
	if (!err && use == EXO_SPACE_DEVICE)
		tlb_note(space, 0, 0, 0, true);
	return err;
}
