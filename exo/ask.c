/* SPDX-License-Identifier: MIT */
/*
 * ask.c - asking holders to give claims up, and telling them what was taken by force.
 *
 * Nothing is queued: a claim asked for has a flag in its slot, a claim taken leaves a record in its
 * empty slot, and the environment's event says that there is something to look for.  What was
 * derived further from a claim asked for is asked for by its holder, who knows whom to ask.
 */
#include "calls.h"
#include "claim.h"
#include "cpu.h"
#include "frame.h"
#include "hold.h"
#include "kernel.h"
#include "run.h"
#include "sched.h"
#include "x86/insn.h"

#define ASK_PIECE 32    /* claims asked for in one call */

/* The environment whose table a slot is in, or NULL. */
static struct env *slot_env(const struct exo_cap *c)
{
	return table_env(slot_sid(c) / EXO_SLOTS_PER_FRAME);
}

static void env_tell(struct env *e)
{
	uint32_t entry = __atomic_load_n(&e->page->ask_entry, __ATOMIC_RELAXED);

	if (entry && entry < EXO_EVENTS)
		event_post(e, entry);
}

bool claim_is_anothers(const struct exo_cap *c)
{
	const struct env *e;

	if (table_known(this_cpu()->env, slot_sid(c) / EXO_SLOTS_PER_FRAME))
		return false;
	e = slot_env(c);
	return e && e != this_cpu()->env;
}

void claim_tell_taken(struct exo_cap *c)
{
	struct env *e = slot_env(c);

	if (!e)
		return;
	c->held = (uint32_t)(e->page->taken + 1);
	__atomic_store_n(&e->page->taken, (uint32_t)c->held, __ATOMIC_RELEASE);
	env_tell(e);
}

/* The earliest deadline that has not passed stands in the page. */
static void deadline_tell(struct env *e, uint64_t deadline, uint64_t now)
{
	uint64_t old = __atomic_load_n(&e->page->ask_tsc, __ATOMIC_RELAXED);

	if (!old || old < now || deadline < old)
		__atomic_store_n(&e->page->ask_tsc, deadline, __ATOMIC_RELEASE);
}

static void claim_ask(struct exo_cap *c, uint64_t deadline, uint64_t now)
{
	struct env *e = slot_env(c);

	__atomic_or_fetch(&c->flags, EXO_CAP_ASKED, __ATOMIC_RELEASE);
	if (!e || e == this_cpu()->env)
		return;
	deadline_tell(e, deadline, now);
	env_tell(e);
}

/* The child of `c` that a name from the call before means. */
static int child_named(const struct exo_cap *c, uint64_t name, struct exo_cap **kid)
{
	struct exo_cap *k = slot_at(exo_slot_sid(name));

	if (frame_use(exo_slot_sid(name) / EXO_SLOTS_PER_FRAME) != EXO_USE_TABLE)
		return -EXO_E_STALE;
	if (k->kind == EXO_KIND_NONE || slot_name(k) != name || k->parent != slot_sid(c))
		return -EXO_E_STALE;
	*kid = k;
	return 0;
}

/* tree_lock held. */
static int64_t children_ask(struct env *e, uint64_t slot, uint64_t deadline, uint64_t at)
{
	struct exo_cap *c, *kid;
	uint64_t now = read_tsc();
	int err = claim_any(e, slot, &c);

	if (err)
		return err;
	kid = c->child ? slot_at(c->child) : NULL;
	if (at && (err = child_named(c, at, &kid)) < 0)
		return err;
	for (unsigned i = 0; kid && i < ASK_PIECE; i++) {
		claim_ask(kid, deadline, now);
		kid = kid->next ? slot_at(kid->next) : NULL;
	}
	return kid ? (int64_t)slot_name(kid) : 0;
}

int64_t sys_cap_ask(struct env *e, uint64_t slot, uint64_t deadline, uint64_t at)
{
	int64_t result;

	tree_take();
	result = children_ask(e, slot, deadline, at);
	tree_release();
	sched_check();
	return result;
}
