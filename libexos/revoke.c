/* SPDX-License-Identifier: MIT */
/*
 * revoke.c - claims that somebody asks for or takes (exos/revoke.h).
 *
 * What cannot be given up at once, because pages of it are in use, is tried again while events are
 * handled, until the deadline; until then the allocator hands nothing of it out.
 *
 * Invariant: `seen` is the number of the last record that was handled; the kernel numbers them.
 */
#include "core.h"

#include <exos/call.h>
#include <exos/cap.h>
#include <exos/error.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/revoke.h>
#include <exos/space.h>
#include <exos/time.h>

static const struct exos_revoke_ops *ops = &exos_revoke_default;
bool exos_revoke_owed;
static uint32_t seen;

static bool in_use(const struct exo_cap *cap)
{
	return __atomic_load_n(&cap->kind, __ATOMIC_ACQUIRE) != EXO_KIND_NONE;
}

#define RESTARTS 16u            /* of a list of children that changes under our hands */
#define LOOK_NS  1000000u       /* between looks at what is left */

/* Ask for the children of one claim: 0 or -EXO_E_*. */
static int children_ask(exo_slot slot, uint64_t deadline_tsc)
{
	unsigned restarts = 0;
	int64_t at = 0;

	do {
		at = exo_cap_ask(slot, deadline_tsc, (uint64_t)at);
		if (at == -EXO_E_STALE && exos_cap_look(slot) && restarts++ < RESTARTS)
			at = exo_cap_ask(slot, deadline_tsc, 0);
	} while (at > 0);
	return (int)at;
}

/* What a walk through the own table looks for below the claim in slot `top`. */
struct below {
	exo_sid top;
	uint64_t deadline_tsc;
	int err;
	bool left;              /* somebody else has something */
};

static bool is_below(const struct exo_cap *cap, exo_sid top)
{
	while (cap && cap->parent != top)
		cap = cap->parent ? exos_cap_at(cap->parent) : NULL;
	return cap != NULL;
}

/* Own claims derived from `top` have children of their own to ask. */
static void ask_visit(exo_sid sid, const struct exo_cap *cap, void *context)
{
	struct below *b = context;
	int err;

	if (!in_use(cap) || !cap->child || !is_below(cap, b->top))
		return;
	err = children_ask(exo_slot_make(sid, cap->gen), b->deadline_tsc);
	if (err < 0 && err != -EXO_E_STALE)
		b->err = err;
}

int exos_revoke_ask(exo_slot slot, uint64_t deadline_tsc)
{
	struct below b = { .top = exo_slot_sid(slot), .deadline_tsc = deadline_tsc };

	b.err = children_ask(slot, deadline_tsc);
	if (b.err == 0)
		exos_slot_each(ask_visit, &b);
	return b.err;
}

static bool foreign(exo_sid sid)
{
	return sid && !exos_cap_at(sid);
}

/* Children and siblings of own claims below `top`, and its own children, are all of its tree. */
static void left_visit(exo_sid sid, const struct exo_cap *cap, void *context)
{
	struct below *b = context;

	if (sid == b->top)
		b->left |= foreign(cap->child);
	else if (in_use(cap) && is_below(cap, b->top))
		b->left |= foreign(cap->child) || foreign(cap->next) || foreign(cap->prev);
}

static bool something_left(exo_slot slot)
{
	struct below b = { .top = exo_slot_sid(slot) };

	exos_slot_each(left_visit, &b);
	return b.left;
}

int exos_revoke(exo_slot slot, uint64_t deadline_tsc)
{
	bool left = something_left(slot);
	int err = left ? exos_revoke_ask(slot, deadline_tsc) : 0;

	if (err < 0)
		return err;
	while (left && exos_tsc() < deadline_tsc) {
		exos_sleep(LOOK_NS);
		left = something_left(slot);
	}
	err = exos_cap_revoke(slot);
	return err < 0 ? err : left;
}

/* Discard the pages of a region whose frames lie in [lo, hi). */
static void region_discard(struct exos_region *r, uint64_t lo, uint64_t hi)
{
	for (uint64_t va = r->lo; va < r->hi; va += EXO_PAGE_SIZE) {
		uint64_t pfn;

		if (!exos_space_table(va)) {
			va = round_up(va + 1, 1ul << 21) - EXO_PAGE_SIZE;
			continue;
		}
		pfn = exos_space_frame(va);
		if (pfn >= lo && pfn < hi)
			exos_region_discard(r, va, 1);
	}
}

static bool can_rebuild(const struct exos_region *r)
{
	return (r->flags & EXOS_REGION_REBUILD) && r->pager->discard;
}

static void regions_discard(uint64_t lo, uint64_t hi)
{
	struct exos_region *r = exos_region_next(0);

	for (; r; r = exos_region_next(r->hi))
		if (can_rebuild(r))
			region_discard(r, lo, hi);
}

/* Pages of regions that can be rebuilt. */
static uint64_t regions_rebuildable(void)
{
	uint64_t pages = 0;

	for (struct exos_region *r = exos_region_next(0); r; r = exos_region_next(r->hi))
		if (can_rebuild(r))
			pages += r->pages;
	return pages;
}

uint64_t exos_region_reclaim(void)
{
	uint64_t before = regions_rebuildable();

	if (before == 0)
		return 0;
	regions_discard(0, ~0ul);
	return before - regions_rebuildable();
}

static void default_asked(exo_slot slot, const struct exo_cap *cap, uint64_t deadline_tsc)
{
	uint64_t lo, hi;

	if (cap->child)
		exos_revoke_ask(slot, deadline_tsc);
	if (cap->kind != EXO_KIND_FRAME || !core_frame_range(exo_slot_sid(slot), &lo, &hi))
		return;
	exos_core_take();
	core_frame_close(exo_slot_sid(slot));
	exos_core_drop();
	regions_discard(lo, hi);
	if (exos_frame_remove(slot) == 0)
		exos_cap_drop(slot);
	else
		exos_revoke_owed = true;
}

/* Pages of regions that can be rebuilt are counted anew: how many are missing. */
static uint64_t regions_recount(void)
{
	uint64_t missing = 0;

	for (struct exos_region *r = exos_region_next(0); r; r = exos_region_next(r->hi)) {
		uint64_t pages = 0;

		if (!can_rebuild(r))
			continue;
		for (uint64_t va = r->lo; va < r->hi; va += EXO_PAGE_SIZE) {
			if (!exos_space_table(va))
				va = round_up(va + 1, 1ul << 21) - EXO_PAGE_SIZE;
			else
				pages += exos_space_frame(va) != 0;
		}
		missing += r->pages - pages;
		r->pages = (uint32_t)pages;
	}
	return missing;
}

static void default_taken(exo_sid sid, const struct exo_cap *record)
{
	uint64_t used;

	if (record->badge != EXO_KIND_FRAME)
		return;
	exos_core_take();
	used = core_frame_lost(sid);
	exos_core_drop();
	if (used && used > regions_recount())
		exos_panic("frames 0x%lx to 0x%lx were taken while in use: their contents are lost",
			   (unsigned long)record->lo, (unsigned long)record->hi);
}

const struct exos_revoke_ops exos_revoke_default = { default_asked, default_taken };

void exos_revoke_ops_set(const struct exos_revoke_ops *new_ops)
{
	ops = new_ops ? new_ops : &exos_revoke_default;
}

static void asked_visit(exo_sid sid, const struct exo_cap *cap, void *context)
{
	const uint64_t *deadline_tsc = context;

	if (in_use(cap) && (cap->flags & EXO_CAP_ASKED))
		ops->asked(exo_slot_make(sid, cap->gen), cap, *deadline_tsc);
}

static void taken_visit(exo_sid sid, const struct exo_cap *cap, void *context)
{
	const uint32_t *to = context;

	if (in_use(cap) || !(cap->flags & EXO_CAP_TAKEN))
		return;
	if ((uint32_t)cap->held - seen - 1 >= *to - seen)
		return;
	ops->taken(sid, cap);
	exos_slot_repair(sid);
}

void exos_revoke_retry(void)
{
	static uint64_t next_tsc;
	uint64_t now = insn_tsc();
	uint64_t deadline_tsc = __atomic_load_n(&exos_page_first->ask_tsc, __ATOMIC_ACQUIRE);

	if (now < next_tsc)
		return;
	next_tsc = now + exos_ns_to_tsc(LOOK_NS);
	exos_revoke_owed = false;
	if (now < deadline_tsc) {
		exos_slot_each(asked_visit, &deadline_tsc);
		return;
	}
	/* Whoever asked did not take it: it is ours still. */
	exos_core_take();
	core_frame_open_all();
	exos_core_drop();
}

static void revoke_event(uint32_t entry, uint32_t posts, void *argument)
{
	struct exo_env_page *page = exos_page_first;
	uint32_t to = __atomic_load_n(&page->taken, __ATOMIC_ACQUIRE);
	uint64_t deadline_tsc = __atomic_load_n(&page->ask_tsc, __ATOMIC_ACQUIRE);

	(void)entry, (void)posts, (void)argument;
	if (to != seen)
		exos_slot_each(taken_visit, &to);
	seen = to;
	exos_slot_each(asked_visit, &deadline_tsc);
}

void exos_revoke_setup(void)
{
	exos_event_handle(EXOS_EVENT_REVOKE, revoke_event, NULL);
	__atomic_store_n(&exos_page_first->ask_entry, EXOS_EVENT_REVOKE, __ATOMIC_RELEASE);
}
