/* SPDX-License-Identifier: MIT */
/*
 * model.c - finding claims by name, and what may be derived from them.
 */
#include "model.h"

#include <stdlib.h>

struct model model;

struct node *model_node(exo_sid sid)
{
	uint64_t pfn = sid / EXO_SLOTS_PER_FRAME;

	if (pfn >= MODEL_PFNS || !model.table[pfn])
		return NULL;
	return &model.table[pfn]->slot[sid % EXO_SLOTS_PER_FRAME];
}

struct table *model_table(uint64_t pfn, uint64_t env)
{
	struct table *t = calloc(1, sizeof(*t));

	t->pfn = pfn;
	t->env = env;
	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		t->slot[i].sid = (exo_sid)(pfn * EXO_SLOTS_PER_FRAME + i);
	free(model.table[pfn]);
	return model.table[pfn] = t;
}

int model_any(unsigned actor, uint64_t name, struct node **n)
{
	exo_sid sid = exo_slot_sid(name);

	if (sid / EXO_SLOTS_PER_FRAME != model.own[actor])
		return -EXO_E_STALE;
	*n = model_node(sid);
	return (*n)->kind && (*n)->gen == exo_slot_gen(name) ? 0 : -EXO_E_STALE;
}

int model_find(unsigned actor, uint64_t name, unsigned kind, unsigned rights, struct node **n)
{
	int err = model_any(actor, name, n);

	if (err)
		return err;
	if ((*n)->kind != kind)
		return -EXO_E_KIND;
	return rights & ~(unsigned)(*n)->rights ? -EXO_E_RIGHTS : 0;
}

int model_empty(uint64_t env, uint64_t sid, struct node **n)
{
	uint64_t pfn = sid / EXO_SLOTS_PER_FRAME;

	if (pfn >= MODEL_PFNS || !model.table[pfn] || model.table[pfn]->env != env)
		return -EXO_E_SLOT;
	*n = model_node((exo_sid)sid);
	return (*n)->kind ? -EXO_E_SLOT : 0;
}

struct frame *model_frame(uint64_t pfn)
{
	return pfn >= model.lo && pfn < model.hi ? &model.frame[pfn - model.lo] : NULL;
}

bool model_held(uint64_t lo, uint64_t hi, exo_sid holder)
{
	for (; lo < hi; lo++)
		if (!model_frame(lo) || model_frame(lo)->holder != holder)
			return false;
	return true;
}

bool model_mapped(uint64_t lo, uint64_t hi)
{
	for (; lo < hi; lo++)
		if (model_frame(lo) && model_frame(lo)->maps)
			return true;
	return false;
}

bool model_has_share(const struct node *n)
{
	for (exo_sid kid = n->child; kid; kid = model_node(kid)->next)
		if (model_node(kid)->flags & EXO_CAP_SHARE)
			return true;
	return false;
}

/* Does a child that is no share have some of [lo, hi)? */
static bool given_away(const struct node *n, uint64_t lo, uint64_t hi)
{
	for (exo_sid kid = n->child; kid; kid = model_node(kid)->next) {
		const struct node *k = model_node(kid);

		if (!(k->flags & EXO_CAP_SHARE) && k->lo < hi && lo < k->hi)
			return true;
	}
	return false;
}

bool model_slot_held(const struct node *n, uint64_t slot)
{
	return slot >= n->lo && slot < n->hi && !given_away(n, slot, slot + 1);
}

static bool splits(unsigned kind)
{
	return kind == EXO_KIND_FRAME || kind == EXO_KIND_SLOT || kind == EXO_KIND_BLOCK ||
	       kind == EXO_KIND_PORT;
}

/* A derivation of the whole claim, with these rights. */
struct node model_whole(const struct node *n, uint64_t rights)
{
	struct node s = { .kind = n->kind, .lo = n->lo, .hi = n->hi, .unit = n->unit,
			  .badge = n->badge, .rights = (uint16_t)(rights & EXO_R_ALL) };
	bool share = rights & EXO_SHARE;

	if (n->kind == EXO_KIND_ENV && (n->flags & EXO_CAP_OBJECT))
		s.hi = 0;
	if (n->flags & EXO_CAP_SHARE)
		share = n->kind == EXO_KIND_FRAME || n->kind == EXO_KIND_BLOCK;
	s.flags = share ? EXO_CAP_SHARE : 0;
	return s;
}

static int frames_check(const struct node *parent, const struct node *s)
{
	bool share = s->flags & EXO_CAP_SHARE;

	if (parent->flags & EXO_CAP_SHARE)
		return share ? 0 : -EXO_E_SHARED;
	if (!share && model_has_share(parent))
		return -EXO_E_SHARED;
	if (!model_held(s->lo, s->hi, parent->sid))
		return -EXO_E_SPLIT;
	return !share && model_mapped(s->lo, s->hi) ? -EXO_E_MAPPED : 0;
}

static int slots_check(const struct node *parent, const struct node *s)
{
	for (uint64_t i = s->lo; i < s->hi; i++) {
		if (!model_slot_held(parent, i))
			return -EXO_E_SPLIT;
		if (model.vector[parent->unit][i])
			return -EXO_E_MAPPED;
	}
	return 0;
}

static int part_check(const struct node *parent, const struct node *s)
{
	bool share = s->flags & EXO_CAP_SHARE;

	if (s->lo >= s->hi || s->lo < parent->lo || s->hi > parent->hi)
		return -EXO_E_RANGE;
	if (share && (s->rights & EXO_R_RETYPE))
		return -EXO_E_RIGHTS;
	if (parent->kind == EXO_KIND_FRAME)
		return frames_check(parent, s);
	if (share && parent->kind != EXO_KIND_BLOCK)
		return -EXO_E_ARG;
	if (!share && ((parent->flags & EXO_CAP_SHARE) || model_has_share(parent)))
		return -EXO_E_SHARED;
	if (!share && parent->kind == EXO_KIND_BLOCK && parent->bound)
		return -EXO_E_MAPPED;
	if (parent->kind == EXO_KIND_SLOT)
		return slots_check(parent, s);
	return given_away(parent, s->lo, s->hi) ? -EXO_E_SPLIT : 0;
}

int model_derive_check(const struct node *parent, const struct node *s)
{
	if (s->rights & ~(unsigned)parent->rights)
		return -EXO_E_RIGHTS;
	if (s->kind == parent->kind && splits(parent->kind))
		return part_check(parent, s);
	if (s->flags & EXO_CAP_SHARE)
		return -EXO_E_ARG;
	if (parent->kind == EXO_KIND_NIC)
		return parent->child ? MODEL_LOOSE : 0;
	if (parent->kind == EXO_KIND_IRQ)
		return parent->child ? -EXO_E_SPLIT : parent->bound ? -EXO_E_MAPPED : 0;
	return 0;
}

void model_derive(struct node *parent, struct node *dst, const struct node *s)
{
	exo_sid sid = dst->sid;
	uint32_t gen = dst->gen;
	bool known = dst->gen_known;

	*dst = *s;
	dst->sid = sid;
	dst->gen = gen;
	dst->gen_known = known;
	dst->flags = (s->flags | parent->flags) & EXO_CAP_SHARE;
	dst->parent = parent->sid;
	dst->child = 0;
	dst->next = parent->child;
	parent->child = sid;
	if (s->kind == EXO_KIND_FRAME && parent->kind == s->kind && !(dst->flags & EXO_CAP_SHARE))
		for (uint64_t pfn = s->lo; pfn < s->hi; pfn++)
			if (model_frame(pfn))
				model_frame(pfn)->holder = sid;
}
