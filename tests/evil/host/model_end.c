/* SPDX-License-Identifier: MIT */
/*
 * model_end.c - dropping and revoking, as one act each.
 */
#include "model.h"

#include <stdlib.h>

static void unhang(struct node *n)
{
	struct node *parent = model_node(n->parent);

	for (exo_sid *at = parent ? &parent->child : NULL; at && *at; at = &model_node(*at)->next)
		if (*at == n->sid) {
			*at = n->next;
			break;
		}
	n->parent = n->next = 0;
}

/* Nobody runs in this slot of the vector, or nobody of this environment anywhere. */
static void slots_clear(struct node *n)
{
	for (uint64_t i = n->lo; i < n->hi; i++)
		if (model_slot_held(n, i))
			model.vector[n->unit][i] = 0;
}

static void env_forget(uint64_t pfn)
{
	for (unsigned cpu = 0; cpu < MODEL_CPUS; cpu++)
		for (unsigned i = 0; i < EXO_VECTOR_SLOTS; i++)
			if (model.vector[cpu][i] == pfn)
				model.vector[cpu][i] = 0;
	for (uint64_t i = model.lo; i < model.hi; i++)
		if (model.table[i] && model.table[i]->env == pfn)
			model.table[i]->env = 0;
}

static void ring_unbind(struct frame *f)
{
	struct node *block = model_node(f->ring);

	if (f->ring && block && block->bound)
		block->bound--;
	f->ring = 0;
}

static void table_end(uint64_t pfn)
{
	struct table *t = model.table[pfn];

	for (unsigned i = 0; i < EXO_SLOTS_PER_FRAME; i++)
		if (t->slot[i].kind)
			model_drop(&t->slot[i]);
	model.table[pfn] = NULL;
	free(t);
}

/* Every claim on packets by this filter ends, with what was derived from it. */
static void filter_end(uint64_t pfn)
{
	for (uint64_t i = 0; i < MODEL_PFNS; i++)
		for (unsigned n = 0; model.table[i] && n < EXO_SLOTS_PER_FRAME; n++) {
			struct node *c = &model.table[i]->slot[n];

			if (c->kind == EXO_KIND_NIC && c->lo == pfn) {
				model_revoke(c);
				model_drop(c);
			}
		}
}

static void object_end(struct node *n)
{
	uint64_t pfn = n->lo;

	if (n->kind == EXO_KIND_PT || n->kind == EXO_KIND_SPACE)
		model_pt_end(pfn);
	if (n->kind == EXO_KIND_TABLE)
		table_end(pfn);
	if (n->kind == EXO_KIND_ENV)
		env_forget(pfn);
	if (n->kind == EXO_KIND_RING)
		ring_unbind(model_frame(pfn));
	if (n->kind == EXO_KIND_FILTER)
		filter_end(pfn);
	for (; pfn < n->hi; pfn++) {
		model_untrace(pfn);
		*model_frame(pfn) = (struct frame){ .holder = n->parent, .use = EXO_USE_MEMORY };
	}
}

/* What remains when it has no children. */
static void finish(struct node *n)
{
	exo_sid sid = n->sid, parent = n->parent;

	model_unmap_claim(n);
	if (n->kind == EXO_KIND_BLOCK)
		for (uint64_t i = model.lo; n->bound && i < model.hi; i++)
			if (model_frame(i)->ring == sid)
				ring_unbind(model_frame(i));
	if (n->kind == EXO_KIND_SLOT)
		slots_clear(n);
	if (n->flags & EXO_CAP_OBJECT)
		object_end(n);
	else if (n->kind == EXO_KIND_FRAME && !(n->flags & EXO_CAP_SHARE))
		for (uint64_t pfn = n->lo; pfn < n->hi; pfn++)
			if (model_frame(pfn) && model_frame(pfn)->holder == sid)
				model_frame(pfn)->holder = parent;
	unhang(n);
	*n = (struct node){ .sid = sid, .gen = n->gen + 1, .gen_known = n->gen_known };
}

void model_revoke(struct node *n)
{
	while (n->child) {
		struct node *kid = model_node(n->child);

		model_revoke(kid);
		finish(kid);
	}
}

void model_drop(struct node *n)
{
	struct node *parent = model_node(n->parent);

	if (n->flags & EXO_CAP_OBJECT)
		model_revoke(n);
	if (n->kind == EXO_KIND_SLOT)
		slots_clear(n);         /* while what was given away is known */
	while (n->child) {
		struct node *kid = model_node(n->child);

		unhang(kid);
		kid->parent = n->parent;
		if (!parent)
			kid->parent = 0;
		kid->next = parent ? parent->child : 0;
		if (parent)
			parent->child = kid->sid;
	}
	if (n->kind == EXO_KIND_SLOT)
		n->hi = n->lo;          /* cleared already */
	finish(n);
}
