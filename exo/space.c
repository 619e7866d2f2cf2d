/* SPDX-License-Identifier: MIT */
/*
 * space.c - the batched call that changes page-table entries.
 *
 * Each operation is checked as a whole, then done as a whole.  An entry is made only by a claim
 * that holds the frames or shares them, and with no more rights than it carries.
 */
#include "space.h"

#include <base/util.h>
#include <exo/errors.h>

#include "claim.h"
#include "env.h"
#include "frame.h"
#include "table.h"
#include "tlb.h"

/* A range of entries: `pages` of `level` at va. */
struct range {
	uint64_t space, va, pages;
	unsigned level;
};

static int range_check(uint64_t space, const struct exo_map_op *op, struct range *r)
{
	unsigned size = op->prot & (EXO_SIZE_2M | EXO_SIZE_1G);
	uint64_t bytes;

	if (size == (EXO_SIZE_2M | EXO_SIZE_1G))
		return -EXO_E_ARG;
	*r = (struct range){ space, op->va, op->pages, size == EXO_SIZE_1G ? 3 : size == EXO_SIZE_2M ? 2 : 1 };
	bytes = level_bytes(r->level) * r->pages;
	if (!r->pages || r->pages > EXO_MAP_MAX || !range_fits(r->va, bytes, EXO_USER_TOP))
		return -EXO_E_RANGE;
	if (r->va % level_bytes(r->level))
		return -EXO_E_ARG;
	/* The table's own slot is the kernel's. */
	if (r->va + bytes > EXO_SELF_VA && r->va < EXO_SELF_VA + level_bytes(4))
		return -EXO_E_RANGE;
	return 0;
}

/*
 * The entries of the next table of a range: their number, or 0 at the end.  *first is NULL where no
 * table is.
 */
static uint64_t range_next(struct range *r, uint64_t **first, bool *big)
{
	unsigned index = pte_index(r->va, r->level);
	uint64_t count = min_u64(512 - index, r->pages);
	uint64_t *table;

	if (!count)
		return 0;
	table = table_walk(r->space, r->va, r->level, big);
	*first = table ? table + index : NULL;
	r->va += count * level_bytes(r->level);
	r->pages -= count;
	return count;
}

static int prot_check(unsigned prot)
{
	if (prot & ~(EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC) || !(prot & EXO_R_READ))
		return -EXO_E_ARG;
	return (prot & EXO_R_WRITE) && (prot & EXO_R_EXEC) ? -EXO_E_ARG : 0;
}

static uint64_t prot_bits(unsigned prot)
{
	return PTE_P | PTE_U | (prot & EXO_R_WRITE ? PTE_W : 0) | (prot & EXO_R_EXEC ? 0 : PTE_NX);
}

/* May a FRAME claim name these frames?  A share's cannot have been given away or retyped. */
static int frames_check(const struct exo_cap *c, uint64_t pfn, uint64_t count)
{
	if (pfn < c->lo || !range_fits(pfn - c->lo, count, c->hi - c->lo))
		return -EXO_E_RANGE;
	if (!(c->flags & EXO_CAP_SHARE) && !frame_range_held(pfn, pfn + count, slot_sid(c)))
		return -EXO_E_SPLIT;
	return 0;
}

static int trace_check(uint64_t pfn)
{
	enum exo_use use = frame_use(pfn);

	if (use != EXO_USE_TABLE && use != EXO_USE_ENVPAGE && use != EXO_USE_PT)
		return -EXO_E_USE;
	return slot_at(frame_holder(pfn))->held ? -EXO_E_MAPPED : 0;
}

/* Which rights does the claim allow for mappings of these frames?  Negative: an error. */
static int claim_check(const struct exo_cap *c, const struct exo_map_op *op, uint64_t count)
{
	bool map = c->rights & EXO_R_MAP;
	int err = 0;

	if (c->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (c->kind == EXO_KIND_FRAME) {
		err = frames_check(c, op->pfn, count);
		return err ? err : c->rights & (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC);
	}
	if (count != 1)
		return -EXO_E_RANGE;
	switch (c->kind) {
	case EXO_KIND_ENV:
		if (!map)
			return -EXO_E_RIGHTS;
		return op->pfn == c->lo + 1 ? EXO_R_READ | EXO_R_WRITE : -EXO_E_RANGE;
	case EXO_KIND_RING:
		if (!map)
			return -EXO_E_RIGHTS;
		return op->pfn == c->lo + 1 || op->pfn == c->lo + 2 ? EXO_R_READ | EXO_R_WRITE : -EXO_E_RANGE;
	case EXO_KIND_TABLE:
		if (!map)
			return -EXO_E_RIGHTS;
		return op->pfn == c->lo ? EXO_R_READ : -EXO_E_RANGE;
	case EXO_KIND_TRACE:
		if (!(c->rights & EXO_R_READ))
			return -EXO_E_RIGHTS;
		err = trace_check(op->pfn);
		return err ? err : EXO_R_READ;
	default:
		return -EXO_E_KIND;
	}
}

static int entries_empty(struct range r)
{
	uint64_t *pte, count;
	bool big;

	while ((count = range_next(&r, &pte, &big))) {
		if (!pte)
			return big ? -EXO_E_MAPPED : -EXO_E_NOTABLE;
		for (; count; count--, pte++)
			if (*pte & PTE_P)
				return -EXO_E_MAPPED;
	}
	return 0;
}

static int space_map(struct env *e, struct range r, const struct exo_map_op *op)
{
	unsigned prot = op->prot & EXO_R_ALL;
	uint64_t frames_each = level_frames(r.level), value, *pte, count;
	struct exo_cap *c;
	bool big;
	int err = prot_check(prot), most;

	if (err || (err = claim_any(e, op->slot, &c)) < 0)
		return err;
	if (op->pfn % frames_each)
		return -EXO_E_ARG;
	if ((most = claim_check(c, op, r.pages * frames_each)) < 0)
		return most;
	if (prot & ~(unsigned)most)
		return -EXO_E_RIGHTS;
	if ((err = entries_empty(r)) < 0)
		return err;

	value = op->pfn << EXO_PAGE_SHIFT | prot_bits(prot) | (r.level > 1 ? PTE_PS : 0);
	if (frame_use(op->pfn) == EXO_USE_DEVICE)
		value |= PTE_PCD | PTE_PWT;
	while ((count = range_next(&r, &pte, &big)))
		for (; count; count--, pte++) {
			entry_install(pte, r.level, value, c, most);
			if (c->kind == EXO_KIND_TRACE)
				slot_at(frame_holder(op->pfn))->held = virt_to_phys(pte) / 8;
			value += frames_each << EXO_PAGE_SHIFT;
		}
	return 0;
}

static int space_unmap(struct range r)
{
	struct range check = r;
	uint64_t *pte, count;
	bool big;

	while ((count = range_next(&check, &pte, &big))) {
		if (!pte && big)
			return -EXO_E_NOTABLE;
		for (; pte && count; count--, pte++)
			if ((*pte & PTE_P) && !entry_is_leaf(*pte, r.level))
				return -EXO_E_USE;
	}
	for (uint64_t va = r.va; (count = range_next(&r, &pte, &big)); va = r.va) {
		uint64_t n = 0;

		for (uint64_t i = 0; pte && i < count; i++)
			if (pte[i] & PTE_P) {
				entry_remove(&pte[i], r.level);
				n = i + 1;
			}
		if (n)
			tlb_note(r.space, va, n, level_bytes(r.level), true);
	}
	return 0;
}

static int space_protect(struct range r, unsigned prot)
{
	struct range check = r;
	uint64_t *pte, count, bits = prot_bits(prot);
	bool big;
	int err = prot_check(prot);

	if (err)
		return err;
	while ((count = range_next(&check, &pte, &big))) {
		if (!pte)
			return -EXO_E_NOTABLE;
		for (const struct shadow *s = shadow_of(pte); count; count--, pte++, s++) {
			if (!entry_is_leaf(*pte, r.level))
				return -EXO_E_NOTABLE;
			if (prot & ~s->most)
				return -EXO_E_RIGHTS;
		}
	}
	for (uint64_t va = r.va; (count = range_next(&r, &pte, &big)); va = r.va) {
		uint64_t lost = 0;

		for (uint64_t i = 0; i < count; i++) {
			uint64_t old = pte[i];

			pte[i] = (old & ~(PTE_W | PTE_NX)) | bits;
			lost |= (old & ~bits & PTE_W) | (~old & bits & PTE_NX);
		}
		tlb_note(r.space, va, count, level_bytes(r.level), lost != 0);
	}
	return 0;
}

static int space_link(struct env *e, uint64_t space, const struct exo_map_op *op)
{
	struct exo_cap *c;
	uint64_t *table, *pte;
	bool big;
	int err = claim_find(e, op->slot, EXO_KIND_PT, EXO_R_CONTROL, &c);

	if (err)
		return err;
	if (c->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
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

	*table_link(pte_pfn(*pte), TABLE_PARENT) = 0;
	*pte = 0;
	tlb_note_all(space);
	return 0;
}

int space_apply(struct env *e, uint64_t space, const struct exo_map_op *op)
{
	struct range r;
	int err;

	if (op->op == EXO_LINK)
		return space_link(e, space, op);
	if (op->op == EXO_UNLINK)
		return space_unlink(space, op);
	if ((err = range_check(space, op, &r)) < 0)
		return err;
	switch (op->op) {
	case EXO_MAP:
		return space_map(e, r, op);
	case EXO_UNMAP:
		return space_unmap(r);
	case EXO_PROTECT:
		return space_protect(r, op->prot & EXO_R_ALL);
	default:
		return -EXO_E_ARG;
	}
}
