/* SPDX-License-Identifier: MIT */
/*
 * calls.c - the functions behind the call table that deal in claims and spaces.
 *
 * Each takes tree_lock, checks everything, then acts; what it takes away is gone from all CPUs when
 * it returns.  Arguments in user memory are copied once, before the check.
 */
#include "calls.h"

#include <exo/space.h>

#include "claim.h"
#include "cpu.h"
#include "hold.h"
#include "kernel.h"
#include "quick.h"
#include "retype.h"
#include "sched.h"
#include "slices.h"
#include "space.h"
#include "table.h"
#include "tlb.h"
#include "x86/trap.h"

int64_t sys_version(struct env *e)
{
	(void)e;
	return EXO_ABI_MAJOR << 16 | EXO_ABI_MINOR;
}

static void tree_enter(void)
{
	tree_take();
	work_left = WORK_PER_CALL;
}

/* Every translation that was taken away is gone before anybody else gets the lock. */
static int64_t tree_leave(int64_t result)
{
	if (this_cpu()->notes.any)
		tlb_flush_others();
	tree_release();
	return result;
}

/* Derive by spec into the empty slot `dst` of an environment: the new claim's name, or an error. */
static int64_t derive(struct exo_cap *parent, struct env *to, uint64_t dst,
                      const struct claim_spec *spec)
{
	struct exo_cap *slot;
	int err = slot_empty(to, dst, &slot);

	if (err || (err = claim_derive_check(parent, spec)) < 0)
		return err;
	claim_derive(parent, slot, spec);
	return slot_name(slot);
}

/* What a derivation of the whole claim is, with fewer rights. */
static struct claim_spec spec_whole(const struct exo_cap *c, uint64_t rights)
{
	struct claim_spec s = {
		.kind = c->kind, .lo = c->lo, .hi = c->hi, .unit = c->unit, .badge = c->badge,
		.rights = rights & ~(uint64_t)EXO_SHARE, .share = rights & EXO_SHARE,
	};

	/* hi of the node that holds the frames is their end, not a doorbell's entry. */
	if (c->kind == EXO_KIND_ENV && (c->flags & EXO_CAP_OBJECT))
		s.hi = 0;
	if (c->flags & EXO_CAP_SHARE)
		s.share = c->kind == EXO_KIND_FRAME || c->kind == EXO_KIND_BLOCK;
	return s;
}

int64_t sys_cap_narrow(struct env *e, uint64_t src, uint64_t dst, uint64_t lo, uint64_t hi,
		       uint64_t rights)
{
	struct exo_cap *c;
	struct claim_spec spec;
	int err;

	if (rights & ~(uint64_t)(EXO_R_ALL | EXO_SHARE))
		return -EXO_E_ARG;
	tree_enter();
	if ((err = claim_any(e, src, &c)) < 0)
		return tree_leave(err);
	spec = spec_whole(c, rights);
	if (kind_splits(c->kind)) {
		spec.lo = lo;
		spec.hi = hi;
	} else if (lo || hi) {
		return tree_leave(-EXO_E_ARG);
	}
	return tree_leave(derive(c, e, dst, &spec));
}

/* May `by`, with this ENV claim, put something into slot `dst` of the environment behind it? */
static int give_check(const struct exo_cap *env, const struct env *to, uint64_t dst)
{
	if (env->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (env->rights & EXO_R_CONTROL)
		return 0;
	return dst >= to->page->open_lo && dst < to->page->open_hi ? 0 : -EXO_E_SLOT;
}

int64_t sys_cap_give(struct env *e, uint64_t src, uint64_t env, uint64_t dst, uint64_t rights)
{
	struct exo_cap *c, *target;
	struct claim_spec spec;
	struct env *to;
	int err;

	if (rights & ~(uint64_t)(EXO_R_ALL | EXO_SHARE))
		return -EXO_E_ARG;
	tree_enter();
	if ((err = claim_any(e, src, &c)) < 0)
		return tree_leave(err);
	if ((err = claim_find(e, env, EXO_KIND_ENV, EXO_R_GIVE, &target)) < 0)
		return tree_leave(err);
	to = env_at(target->lo);
	if ((err = give_check(target, to, dst)) < 0)
		return tree_leave(err);
	spec = spec_whole(c, rights);
	return tree_leave(derive(c, to, dst, &spec));
}

int64_t cap_pass(struct env *from, uint64_t cap, struct env *to)
{
	struct exo_cap *c;
	struct claim_spec spec;
	int err;

	tree_enter();
	if ((err = claim_any(from, cap, &c)) < 0)
		return tree_leave(err);
	spec = spec_whole(c, c->rights);
	return tree_leave(derive(c, to, to->page->gate_open, &spec));
}

/* A piece of ending a claim, or what was derived from it; the caller may have ended itself. */
static int64_t claim_end(struct env *e, uint64_t slot, int (*piece)(struct exo_cap *))
{
	struct exo_cap *c;
	int64_t result;

	tree_enter();
	result = claim_any(e, slot, &c);
	if (!result)
		result = piece(c);
	this_cpu()->stats->steps += WORK_PER_CALL - work_left;
	tree_leave(0);
	sched_check();
	return result;
}

int64_t sys_cap_drop(struct env *e, uint64_t slot)
{
	return claim_end(e, slot, claim_drop);
}

int64_t sys_cap_revoke(struct env *e, uint64_t slot)
{
	return claim_end(e, slot, claim_revoke);
}

int64_t sys_retype(struct env *e, uint64_t src, uint64_t dst, uint64_t pfn, uint64_t kind,
		   uint64_t arg)
{
	struct exo_cap *c, *slot;
	int err;

	if (kind >= EXO_KIND_COUNT)
		return -EXO_E_KIND;
	tree_enter();
	if ((err = claim_find(e, src, EXO_KIND_FRAME, 0, &c)) < 0 ||
	    (err = slot_empty(e, dst, &slot)) < 0 ||
	    (err = retype(e, c, slot, pfn, kind, arg)) < 0)
		return tree_leave(err);
	return tree_leave(slot_name(slot));
}

/* One entry of a batch, copied from user memory. */
static inline int copy_op(struct exo_map_op *op, uint64_t user)
{
	if (user > EXO_USER_TOP - sizeof(*op))
		return -EXO_E_FAULT;
	count_copied(sizeof(*op));
	return copy_user_32(op, (const void *)user);
}

/* Entries that are copied at a time. */
#define BATCH 8

/* Pages of a batch between which interrupts are let in. */
#define WINDOW_PAGES 64

/* The same with a share of the lock, which is this CPU's. */
static inline int64_t share_leave(struct cpu *self, int64_t result)
{
	if (self->notes.any)
		tlb_flush_others();
	lock_release(&self->tree);
	return result;
}

/* Changes of mappings; all of tree_lock is held from the first on that needs it, else a share. */
struct change {
	struct env *env;
	uint64_t name;
	struct exo_cap *space;  /* by that name */
	bool whole;
};

static int64_t change_end(const struct change *c, int64_t result)
{
	return c->whole ? tree_leave(result) : share_leave(this_cpu(), result);
}

static int change_apply(struct change *c, const struct exo_map_op *op)
{
	int err = space_apply(c->env, c->space->lo, op, c->whole);

	if (err != SPACE_WHOLE)
		return err;
	change_end(c, 0);
	tree_enter();
	c->whole = true;
	err = claim_ready(c->env, c->name, EXO_KIND_SPACE, EXO_R_CONTROL, &c->space);
	return err < 0 ? err : space_apply(c->env, c->space->lo, op, true);
}

/*
 * Do up to BATCH entries until one fails, or enough was done: how many were, or the first one's
 * error.
 */
static int64_t batch_apply(struct env *e, uint64_t space, uint64_t ops, uint64_t count)
{
	struct exo_map_op op[BATCH];
	uint64_t pages = 0, done;
	unsigned steps = 0;
	struct change c = { .env = e, .name = space };
	int err;

	if (copy_in(op, ops, count * sizeof(op[0])))
		return -EXO_E_FAULT;
	tree_share();
	if ((err = claim_ready(e, space, EXO_KIND_SPACE, EXO_R_CONTROL, &c.space)) < 0)
		return change_end(&c, err);
	for (done = 0; done < count && pages < EXO_MAP_MAX; done++) {
		if ((err = change_apply(&c, &op[done])) < 0)
			return change_end(&c, done ? (int64_t)done : err);
		pages += op[done].pages;
		window_every(&steps, op[done].pages, WINDOW_PAGES);
	}
	return change_end(&c, done);
}

__attribute__((noinline))
static int64_t batches_apply(struct env *e, uint64_t space, uint64_t ops, uint64_t count)
{
	uint64_t done = 0;

	while (done < count) {
		uint64_t n = min_u64(count - done, BATCH);
		int64_t result = batch_apply(e, space, ops + done * sizeof(struct exo_map_op), n);

		if (result < 0)
			return done ? (int64_t)done : result;
		done += result;
		if ((uint64_t)result < n)
			break;
		interrupts_window();
	}
	return done;
}

/* One change by the long way; a share is held. */
__attribute__((noinline))
static int64_t change_one(struct change c, const struct exo_map_op *op)
{
	int err = change_apply(&c, op);

	return change_end(&c, err ? err : 1);
}

int64_t sys_space_update(struct env *e, uint64_t space, uint64_t ops, uint64_t count)
{
	struct cpu *self = this_cpu();
	struct exo_map_op op;
	struct exo_cap *c;
	int64_t result;

	if (count != 1)
		return count <= EXO_BATCH_MAX ? batches_apply(e, space, ops, count) : -EXO_E_ARG;
	if (copy_op(&op, ops))
		return -EXO_E_FAULT;
	lock_take(&self->tree);
	result = claim_ready(e, space, EXO_KIND_SPACE, EXO_R_CONTROL, &c);
	if (!result && !quick_apply(self, e, c->lo, &op))
		return change_one((struct change){ .env = e, .name = space, .space = c }, &op);
	return share_leave(self, result ? result : 1);
}

int64_t sys_doorbell(struct env *e, uint64_t env, uint64_t dst, uint64_t entry, uint64_t rights)
{
	struct exo_cap *c, *slot;
	struct claim_spec spec;
	int err;

	if (rights & ~(uint64_t)EXO_R_ALL)
		return -EXO_E_ARG;
	tree_enter();
	if ((err = claim_find(e, env, EXO_KIND_ENV, EXO_R_NOTIFY, &c)) < 0)
		return tree_leave(err);
	spec = spec_whole(c, rights);
	if (spec.hi || !(rights & EXO_R_NOTIFY))
		return tree_leave(-EXO_E_RIGHTS);
	if (entry >= EXO_EVENTS)
		return tree_leave(-EXO_E_RANGE);
	spec.hi = entry + 1;
	if ((err = slot_empty(e, dst, &slot)) < 0 || (err = claim_derive_check(c, &spec)) < 0 ||
	    (err = event_reserve(env_at(c->lo), entry, SOURCE_DOORBELL, 0)) < 0)
		return tree_leave(err);
	claim_derive(c, slot, &spec);
	return tree_leave(slot_name(slot));
}

int64_t sys_gate_make(struct env *e, uint64_t env, uint64_t dst, uint64_t entry, uint64_t badge)
{
	struct exo_cap *c, *slot;
	struct claim_spec spec;
	int err;

	if (entry >= EXO_USER_TOP || badge >> 32)
		return -EXO_E_RANGE;
	tree_enter();
	if ((err = claim_ready(e, env, EXO_KIND_ENV, EXO_R_GIVE, &c)) < 0 ||
	    (err = slot_empty(e, dst, &slot)) < 0)
		return tree_leave(err);
	spec = (struct claim_spec){ .kind = EXO_KIND_GATE, .lo = c->lo, .hi = entry, .badge = badge,
		                    .rights = EXO_R_CALL };
	claim_derive(c, slot, &spec);
	return tree_leave(slot_name(slot));
}

int64_t sys_slot_set(struct env *e, uint64_t slot, uint64_t number, uint64_t env)
{
	struct exo_cap *c, *target = NULL;
	int err;

	tree_enter();
	if ((err = claim_find(e, slot, EXO_KIND_SLOT, EXO_R_CONTROL, &c)) < 0)
		return tree_leave(err);
	if (env && (err = claim_find(e, env, EXO_KIND_ENV, EXO_R_RUN, &target)) < 0)
		return tree_leave(err);
	if ((c->flags & EXO_CAP_FROZEN) ||
	    (target && (target->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING))))
		return tree_leave(-EXO_E_FROZEN);
	if ((err = slices_held(c, number)) < 0)
		return tree_leave(err);
	slices_set(c, number, target ? env_at(target->lo) : NULL);
	if (target)
		env_kick(env_at(target->lo));
	return tree_leave(0);
}

#define EXO_CALL(number, name, args, text)                                     \
	int64_t call_##name(CALL_ONLY_##args)                                  \
	{                                                                      \
		return sys_##name(this_env() CALL_PASS_##args);           \
	}
#include <exo/syscalls.def>
