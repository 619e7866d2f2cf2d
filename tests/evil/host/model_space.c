/* SPDX-License-Identifier: MIT */
/*
 * model_space.c - page tables: mapping, unmapping, changing rights, linking.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

static struct pt *pt_at(uint64_t pfn)
{
	return model_frame(pfn) ? model.pt[pfn - model.lo] : NULL;
}

static unsigned index_of(uint64_t va, unsigned level)
{
	return va >> (3 + 9 * level) & 511;
}

/* The table of this level for va: its pfn; 0: none, *big: a large page is there instead. */
static uint64_t walk(uint64_t space, uint64_t va, unsigned level, bool *big)
{
	*big = false;
	for (unsigned at = 4; at > level; at--) {
		const struct entry *e = &pt_at(space)->entry[index_of(va, at)];

		if (!e->present || e->leaf) {
			*big = e->present;
			return 0;
		}
		space = e->pfn;
	}
	return space;
}

void model_untrace(uint64_t pfn)
{
	for (uint64_t i = model.lo; model_frame(pfn)->traced && i < model.hi; i++)
		for (unsigned n = 0; pt_at(i) && n < 512; n++) {
			struct entry *e = &pt_at(i)->entry[n];
			struct node *c = e->present && e->leaf ? model_node(e->claim) : NULL;

			if (c && c->kind == EXO_KIND_TRACE && e->pfn == pfn) {
				c->maps--;
				pt_at(i)->leaves--;
				memset(e, 0, sizeof(*e));
			}
		}
	model_frame(pfn)->traced = false;
}

static void leaf_remove(struct pt *t, struct entry *e)
{
	struct node *c = model_node(e->claim);
	struct frame *f = model_frame(e->pfn);

	if (c)
		c->maps--;
	if (f && c && c->kind == EXO_KIND_TRACE)
		f->traced = false;
	if (f && f->use == EXO_USE_MEMORY)
		f->maps--;
	t->leaves--;
	memset(e, 0, sizeof(*e));
}

void model_unmap_claim(struct node *n)
{
	for (uint64_t i = model.lo; n->maps && i < model.hi; i++)
		for (unsigned k = 0; pt_at(i) && pt_at(i)->leaves && k < 512; k++)
			if (pt_at(i)->entry[k].leaf && pt_at(i)->entry[k].claim == n->sid)
				leaf_remove(pt_at(i), &pt_at(i)->entry[k]);
}

static void unhang(struct pt *t)
{
	if (t->parent)
		memset(&pt_at(t->parent)->entry[t->index], 0, sizeof(struct entry));
	t->parent = 0;
}

void model_pt_end(uint64_t pfn)
{
	struct pt *t = pt_at(pfn);

	unhang(t);
	for (unsigned i = 0; i < 512; i++)
		if (t->entry[i].leaf)
			leaf_remove(t, &t->entry[i]);
		else if (t->entry[i].present)
			unhang(pt_at(t->entry[i].pfn));
	model.pt[pfn - model.lo] = NULL;
	free(t);
}

/* A guest may write what it executes. */
static int prot_check(unsigned use, unsigned prot)
{
	if ((prot & ~7u) || !(prot & EXO_R_READ))
		return -EXO_E_ARG;
	if (!(prot & EXO_R_WRITE) || !(prot & EXO_R_EXEC))
		return 0;
	return use == EXO_SPACE_GUEST ? 0 : -EXO_E_ARG;
}

/* What TRACE may read: tables, environment pages, page tables, filters, indices of packets. */
static int trace_check(uint64_t pfn)
{
	const struct frame *f = model_frame(pfn);
	const struct node *holder = f ? model_node(f->holder) : NULL;
	bool packets = holder && holder->kind == EXO_KIND_PACKETS &&
		       pfn == holder->lo + EXO_PACKETS_PAGE;

	if (!f)                 /* of others: the log does not say what it is */
		return MODEL_LOOSE;
	if (f->use != EXO_USE_TABLE && f->use != EXO_USE_ENVPAGE && f->use != EXO_USE_PT &&
	    f->use != EXO_USE_FILTER && f->use != EXO_USE_PROG && !packets)
		return -EXO_E_USE;
	/* One page of a program at a time. */
	for (uint64_t i = holder ? holder->lo : pfn; f->use == EXO_USE_PROG && i < holder->hi; i++)
		if (model_frame(i)->traced)
			return -EXO_E_MAPPED;
	return f->traced ? -EXO_E_MAPPED : EXO_R_READ;
}

static int part(const struct node *c, uint64_t pfn, uint64_t count, uint64_t lo, uint64_t hi,
		int rights)
{
	if (!(c->rights & EXO_R_MAP))
		return -EXO_E_RIGHTS;
	return pfn < lo || pfn >= hi || count > hi - pfn ? -EXO_E_RANGE : rights;
}

/* Most rights of a mapping of [pfn, pfn + count) by this claim. */
static int most_of(const struct node *c, uint64_t pfn, uint64_t count)
{
	if (c->kind == EXO_KIND_FRAME) {
		if (pfn < c->lo || pfn >= c->hi || count > c->hi - pfn)
			return -EXO_E_RANGE;
		if (!(c->flags & EXO_CAP_SHARE) && !model_held(pfn, pfn + count, c->sid))
			return -EXO_E_SPLIT;
		return c->rights & 7;
	}
	switch (c->kind) {
	case EXO_KIND_ENV: return part(c, pfn, count, c->lo + 1, c->lo + 2, 3);
	case EXO_KIND_VCPU: return part(c, pfn, count, c->lo + 1, c->lo + 2, 3);
	case EXO_KIND_RING: return part(c, pfn, count, c->lo + 1, c->lo + 3, 3);
	case EXO_KIND_TABLE: return part(c, pfn, count, c->lo, c->lo + 1, 1);
	case EXO_KIND_PACKETS: return part(c, pfn, count, c->lo + EXO_PACKETS_PAGE, c->hi, 3);
	case EXO_KIND_PCI:      /* its registers are not in the log */
		return c->rights & EXO_R_MAP ? MODEL_LOOSE : -EXO_E_RIGHTS;
	case EXO_KIND_TRACE:
		if (!(c->rights & EXO_R_READ))
			return -EXO_E_RIGHTS;
		return count == 1 ? trace_check(pfn) : -EXO_E_RANGE;
	default: return -EXO_E_KIND;
	}
}

/* One page of a batch entry: what is wrong with it, or do it. */
static int page(uint64_t space, uint64_t va, unsigned level, const uint64_t op[6], uint64_t pfn,
		struct node *c, int most, bool act)
{
	bool big;
	struct pt *t = pt_at(walk(space, va, level, &big));
	struct entry *e = t ? &t->entry[index_of(va, level)] : NULL;

	switch (op[4]) {
	case EXO_MAP:
		if (!e)
			return big ? -EXO_E_MAPPED : -EXO_E_NOTABLE;
		if (e->present)
			return -EXO_E_MAPPED;
		if (!act)
			return 0;
		*e = (struct entry){ .pfn = pfn, .claim = c->sid, .prot = op[5] & 7,
				     .most = (uint8_t)most, .present = true, .leaf = true };
		t->leaves++;
		c->maps++;
		if (model_frame(pfn) && model_frame(pfn)->use == EXO_USE_MEMORY)
			model_frame(pfn)->maps++;
		if (model_frame(pfn) && c->kind == EXO_KIND_TRACE)
			model_frame(pfn)->traced = true;
		return 0;
	case EXO_UNMAP:
		if (!e)
			return big ? -EXO_E_NOTABLE : 0;
		if (e->present && !e->leaf)
			return -EXO_E_USE;
		if (act && e->present)
			leaf_remove(t, e);
		return 0;
	default:
		if (!e || !e->leaf)
			return -EXO_E_NOTABLE;
		if (op[5] & 7 & ~(unsigned)e->most)
			return -EXO_E_RIGHTS;
		if (act)
			e->prot = op[5] & 7;
		return 0;
	}
}

static int pages(unsigned actor, const struct node *in, const uint64_t op[6], unsigned level,
		 bool act)
{
	uint64_t space = in->lo;
	uint64_t size = 1ul << (3 + 9 * level), each = size >> 12, count = (uint32_t)op[3];
	struct node *c = NULL;
	int err = 0, most = 0;

	if (count - 1 >= EXO_MAP_MAX || op[1] >= EXO_USER_TOP ||
	    count * size > EXO_USER_TOP - op[1])
		return -EXO_E_RANGE;
	if (op[1] % size)
		return -EXO_E_ARG;
	if (op[1] + count * size > EXO_SELF_VA && op[1] < EXO_SELF_VA + (1ul << 39))
		return -EXO_E_RANGE;
	if (op[4] != EXO_UNMAP && (err = prot_check(in->unit, op[5] & EXO_R_ALL)))
		return err;
	if (op[4] == EXO_MAP) {
		if ((err = model_any(actor, op[0], &c)))
			return err;
		if (op[2] % each)
			return -EXO_E_ARG;
		if (in->unit == EXO_SPACE_DEVICE && c->kind != EXO_KIND_FRAME)
			return -EXO_E_KIND;
		most = most_of(c, op[2], count * each);
		if (most < 0 || most == MODEL_LOOSE)
			return most;
		if (op[5] & 7 & ~(unsigned)most)
			return -EXO_E_RIGHTS;
	}
	for (int pass = 0; pass <= act; pass++)
		for (uint64_t i = 0; i < count; i++)
			if ((err = page(space, op[1] + i * size, level, op, op[2] + i * each, c,
					most, pass)))
				return err;
	return 0;
}

static int link(unsigned actor, uint64_t space, const uint64_t op[6], bool act)
{
	struct node *c;
	struct pt *t;
	uint64_t table;
	bool big;
	int err = model_find(actor, op[0], EXO_KIND_PT, EXO_R_CONTROL, &c);

	if (err)
		return err;
	if (op[1] >= EXO_USER_TOP || index_of(op[1], 4) == EXO_SELF_SLOT)
		return -EXO_E_RANGE;
	t = pt_at(c->lo);
	if (t->parent)
		return -EXO_E_MAPPED;
	table = walk(space, op[1], c->unit + 1, &big);
	if (!table)
		return big ? -EXO_E_MAPPED : -EXO_E_NOTABLE;
	if (pt_at(table)->entry[index_of(op[1], c->unit + 1)].present)
		return -EXO_E_MAPPED;
	if (act) {
		t->parent = table;
		t->index = index_of(op[1], c->unit + 1);
		pt_at(table)->entry[t->index] = (struct entry){ .pfn = c->lo, .present = true };
	}
	return 0;
}

static int unlink_table(uint64_t space, const uint64_t op[6], bool act)
{
	unsigned level = (unsigned)op[5];
	uint64_t table;
	struct entry *e;
	bool big;

	if (level < 1 || level > 3)
		return -EXO_E_ARG;
	if (op[1] >= EXO_USER_TOP || index_of(op[1], 4) == EXO_SELF_SLOT)
		return -EXO_E_RANGE;
	table = walk(space, op[1], level + 1, &big);
	if (!table)
		return -EXO_E_NOTABLE;
	e = &pt_at(table)->entry[index_of(op[1], level + 1)];
	if (!e->present || e->leaf)
		return -EXO_E_NOTABLE;
	if (act)
		unhang(pt_at(e->pfn));
	return 0;
}

int model_space(unsigned actor, const struct node *space, const uint64_t op[6], bool act)
{
	uint64_t large = op[5] & (EXO_SIZE_2M | EXO_SIZE_1G);

	if (op[4] == EXO_LINK)
		return link(actor, space->lo, op, act);
	if (op[4] == EXO_UNLINK)
		return unlink_table(space->lo, op, act);
	if (op[4] < EXO_MAP || op[4] > EXO_PROTECT || large == (EXO_SIZE_2M | EXO_SIZE_1G))
		return -EXO_E_ARG;
	return pages(actor, space, op, large == EXO_SIZE_2M ? 2 : large ? 3 : 1, act);
}
