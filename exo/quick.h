/* SPDX-License-Identifier: MIT */
/*
 * quick.h - the commonest changes of page tables by the shortest way: one page whose table was
 * found before, mapped by a claim that holds its frame, unmapped, or given other rights.
 *
 * Each returns false, having done nothing, for whatever is not plainly that and plainly right;
 * space.c then does it, or says what is wrong.  A share of tree_lock is held.
 */
#ifndef EXO_QUICK_H
#define EXO_QUICK_H

#include <exo/space.h>

#include "claim.h"
#include "cpu.h"
#include "frame.h"
#include "table.h"
#include "tlb.h"

/* This CPU's translation of one page ends now, other CPUs' before the call returns. */
static inline void quick_forget(const struct cpu *self, uint64_t space, uint64_t va, bool lost)
{
	if (self->space == space) {
		this_stats()->tlb_pages++;
		this_page()->invalidations++;
		invlpg(va);
		lost = lost && cpu_count > 1;
	}
	if (lost)
		tlb_note(space, va, 0, 0, true);
}

/* Rights of a small page that is read, or read and written. */
static inline bool quick_prot(const struct exo_map_op *op)
{
	return (op->prot | EXO_R_WRITE) == (EXO_R_READ | EXO_R_WRITE);
}

static inline bool quick_protect(const struct cpu *self, uint64_t space,
				 const struct exo_map_op *op, uint64_t *pte,
				 const struct shadow *s)
{
	if (!(*pte & PTE_P) || (op->prot & ~s->most))
		return false;
	quick_forget(self, space, op->va, entry_protect(pte, prot_bits(op->prot)));
	return true;
}

/* The entry of a frame of plain memory in chunk k, if the slot holds it, else NULL. */
static inline struct exo_frame *quick_frame(const struct exo_chunk *k, uint64_t pfn, exo_sid sid)
{
	struct exo_frame *f = &frames.fine[(uint64_t)k->fine * EXO_CHUNK_FRAMES +
					   pfn % EXO_CHUNK_FRAMES];

	if (k->mixed)
		return f->holder == sid && f->use == EXO_USE_MEMORY ? f : NULL;
	return k->holder == sid && k->use == EXO_USE_MEMORY ? f : NULL;
}

static inline bool quick_map(struct env *e, const struct exo_map_op *op, uint64_t *pte,
			     struct shadow *s, uint64_t *groups)
{
	struct exo_frame *f;
	struct exo_cap *c;
	struct exo_chunk *k;

	if ((*pte & PTE_P) || claim_find(e, op->slot, EXO_KIND_FRAME, op->prot, &c))
		return false;
	if (c->flags || op->pfn < c->lo || op->pfn >= c->hi)
		return false;
	k = &frames.chunks[op->pfn / EXO_CHUNK_FRAMES];
	f = quick_frame(k, op->pfn, slot_sid(c));
	if (!f)
		return false;
	entry_push(pte, s, c, c->rights & (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC));
	*groups |= group_of(pte);
	__atomic_add_fetch(&f->maps, 1, __ATOMIC_RELAXED);
	f->flags = 0;
	__atomic_add_fetch(&k->busy, 1, __ATOMIC_RELAXED);
	*pte = op->pfn << EXO_PAGE_SHIFT | prot_bits(op->prot);
	return true;
}

/*
 * Frames that are not cached are a device's, and its registers may lie beyond the owner map, where
 * nothing may be read as if it were of it.
 */
static inline bool quick_unmap(const struct cpu *self, uint64_t space, uint64_t va, uint64_t *pte,
			       const struct shadow *s)
{
	uint64_t pfn = pte_pfn(*pte);
	struct exo_chunk *k;
	struct exo_frame *f;

	if ((*pte & (PTE_P | PTE_PCD)) != PTE_P)
		return false;
	k = &frames.chunks[pfn / EXO_CHUNK_FRAMES];
	f = quick_frame(k, pfn, s->claim);
	if (!f)
		return false;
	__atomic_store_n(pte, 0, __ATOMIC_RELAXED);
	entry_pull(s);
	__atomic_sub_fetch(&f->maps, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&k->busy, 1, __ATOMIC_RELAXED);
	quick_forget(self, space, va, true);
	return true;
}

/* The table's lock is held. */
static inline bool quick_change(const struct cpu *self, struct env *e,
				const struct exo_map_op *op)
{
	const struct leaf_cache *l = &self->leaf;
	unsigned index = pte_index(op->va, 1);
	uint64_t *pte = l->table + index;
	struct shadow *s = l->shadow + index;

	if (op->op == EXO_PROTECT)
		return quick_prot(op) && quick_protect(self, l->space, op, pte, s);
	if (op->op == EXO_UNMAP)
		return !(op->prot & (EXO_SIZE_2M | EXO_SIZE_1G)) &&
		       quick_unmap(self, l->space, op->va, pte, s);
	return op->op == EXO_MAP && quick_prot(op) && quick_map(e, op, pte, s, l->groups);
}

static inline bool quick_apply(struct cpu *self, struct env *e, uint64_t space,
			       const struct exo_map_op *op)
{
	const struct leaf_cache *l = &self->leaf;
	bool done;

	if (l->space != space || l->region != op->va >> 21 || (op->va & (EXO_PAGE_SIZE - 1)) ||
	    op->pages != 1)
		return false;
	lock_take(l->lock);
	done = quick_change(self, e, op);
	lock_release(l->lock);
	return done;
}

#endif
