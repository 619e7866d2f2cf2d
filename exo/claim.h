/* SPDX-License-Identifier: MIT */
/*
 * claim.h - claims: looking them up, deriving, dropping and revoking them.
 *
 * Invariant: a slot in use is on the child list of its parent, or is a root.  Siblings of kinds
 * FRAME, SLOT, BLOCK, PORT that are not shares never overlap.  Everything here but claim_find runs
 * with tree_lock held.
 */
#ifndef EXO_CLAIM_H
#define EXO_CLAIM_H

#include <exo/cap.h>
#include <exo/errors.h>
#include <stdbool.h>

#include "env.h"
#include "lock.h"
#include "x86/direct.h"

/* The slot of a sid that is known to be one. */
static inline struct exo_cap *slot_at(exo_sid sid)
{
	return phys_to_virt((uint64_t)sid * sizeof(struct exo_cap));
}
static inline exo_sid slot_sid(const struct exo_cap *c)
{
	return (exo_sid)(virt_to_phys(c) / sizeof(struct exo_cap));
}
static inline exo_slot slot_name(const struct exo_cap *c)
{
	return exo_slot_make(slot_sid(c), c->gen);
}

/*
 * The claim that `e` names, if it is of `kind` and carries all of `rights`.  Takes no lock: who
 * acts on more than the answer holds tree_lock, or relies on the grace period before an object's
 * frames are used again.  Errors: STALE, KIND, RIGHTS.
 */
static inline int claim_find(struct env *e, exo_slot name, enum exo_kind kind, unsigned rights,
                             struct exo_cap **out);

/* The same for a claim that is neither being revoked nor about to end.  Errors: FROZEN, too. */
static inline int claim_ready(struct env *e, exo_slot name, enum exo_kind kind, unsigned rights,
                              struct exo_cap **out);

/* The claim of any kind. Errors: STALE. */
static inline int claim_any(struct env *e, exo_slot name, struct exo_cap **out);

/* The environment that the slots of a table frame serve, or NULL; it serves nobody any more. */
struct env *table_env(uint64_t pfn);
void table_forget(uint64_t pfn);

/* Does this frame hold slots of the environment?  If so, it is remembered in e->table_hit. */
bool table_serves(struct env *e, uint64_t pfn);

/* The empty slot `sid` of a table that serves the environment, or -EXO_E_SLOT. */
int slot_empty(struct env *e, uint64_t sid, struct exo_cap **out);

/* What a new claim shall be. */
struct claim_spec {
	enum exo_kind kind;
	uint64_t lo, hi;
	uint32_t unit, badge;
	unsigned rights;        /* EXO_R_*; only those that the parent has */
	bool share;
};

/* May `parent` have such a child now?  0 or an error; changes nothing. */
int claim_derive_check(const struct exo_cap *parent, const struct claim_spec *spec);
/* Make it.  Cannot fail after the check. */
void claim_derive(struct exo_cap *parent, struct exo_cap *dst, const struct claim_spec *spec);

/* Do claims of this kind name a range, of which one that is no share takes a part away? */
bool kind_splits(enum exo_kind kind);

static inline bool claim_has_shares(const struct exo_cap *c)
{
	return c->child && (slot_at(c->child)->flags & EXO_CAP_SHARE);
}

/* What of the range of a SLOT or PORT claim `from` holds is held by `to` from now on; 0: nobody. */
void claim_range_move(const struct exo_cap *c, exo_sid from, exo_sid to);

/* Fill an empty slot with a root claim, which holds what nobody holds of its range (boot only). */
void claim_root(struct exo_cap *dst, const struct claim_spec *spec);

/* A bounded piece of ending a claim, or all that was derived from it: 0, EXO_MORE, or an error. */
int claim_drop(struct exo_cap *c);
int claim_revoke(struct exo_cap *c);

/*
 * Does the slot belong to another environment than the one that runs?  Number the record of what
 * was taken out of it, and tell its environment.  (ask.c)
 */
bool claim_is_anothers(const struct exo_cap *c);
void claim_tell_taken(struct exo_cap *c);

/* Does this ENV claim post one event entry? */
static inline bool claim_is_doorbell(const struct exo_cap *c)
{
	return c->kind == EXO_KIND_ENV && c->hi && !(c->flags & EXO_CAP_OBJECT);
}

/*
 * Does the object end that the claim was made with?  Its name is good until its frames are memory
 * again, so who goes by it without the lock looks at this before the object: grace waits for who
 * looked before it was so, and for nobody else.
 */
static inline bool claim_is_ending_object(const struct exo_cap *c)
{
	unsigned flags = __atomic_load_n(&c->flags, __ATOMIC_SEQ_CST);

	return (flags & EXO_CAP_OBJECT) && (flags & EXO_CAP_ENDING);
}

/*
 * Does a FRAME claim hold every frame of its range?  It counts those that it holds; a share, which
 * holds none, has a count of 0.
 */
static inline bool claim_is_whole(const struct exo_cap *c)
{
	return c->unit == c->hi - c->lo;
}

/* Hang a slot on a parent's child list, first or behind `after`; take it off. */
void claim_hang(struct exo_cap *parent, struct exo_cap *c, struct exo_cap *after);
void claim_unhang(struct exo_cap *c);

/* A slot whose generations are used up is never filled again; names stay positive. */
#define GEN_RETIRED 0x7fffffffu

/* Steps of work that the present call may still do; ending things uses them up. */
extern int work_left;
#define WORK_PER_CALL 256

/* Count steps as done; now and then, interrupts are let in. */
void work_done(int steps);

/*
 * Does the FRAME claim c cover these frames, and still hold them?  A share's cannot have been given
 * away or retyped.  0, -EXO_E_RANGE or SPLIT.  tree_lock held.  (lend.c)
 */
int claim_holds(const struct exo_cap *c, uint64_t pfn, uint64_t count);

/*
 * Are they memory, too, so that they may be pinned by it?  0, -EXO_E_FROZEN, RANGE, SPLIT or USE.
 */
int claim_lends(const struct exo_cap *c, uint64_t pfn, uint64_t count);

/*
 * Is it still the claim of that name?  For calls that hold no lock, when they have read what they
 * need: a slot's generation changes before anything else in it does.
 */
static inline bool claim_same(const struct exo_cap *c, exo_slot name)
{
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&c->gen, __ATOMIC_ACQUIRE) == exo_slot_gen(name);
}

static inline int claim_any(struct env *e, exo_slot name, struct exo_cap **out)
{
	uint32_t pfn = exo_slot_sid(name) / EXO_SLOTS_PER_FRAME;
	struct exo_cap *c = slot_at(exo_slot_sid(name));

	if (!table_known(e, pfn) && !table_serves(e, pfn))
		return -EXO_E_STALE;
	if (c->gen != exo_slot_gen(name) || c->kind == EXO_KIND_NONE)
		return -EXO_E_STALE;
	*out = c;
	return 0;
}

static inline int claim_find(struct env *e, exo_slot name, enum exo_kind kind, unsigned rights,
                             struct exo_cap **out)
{
	int err = claim_any(e, name, out);

	if (err)
		return err;
	if ((*out)->kind != kind)
		return -EXO_E_KIND;
	return rights & ~(unsigned)(*out)->rights ? -EXO_E_RIGHTS : 0;
}

static inline int claim_ready(struct env *e, exo_slot name, enum exo_kind kind, unsigned rights,
                              struct exo_cap **out)
{
	int err = claim_find(e, name, kind, rights, out);

	if (err)
		return err;
	return (*out)->flags & (EXO_CAP_FROZEN | EXO_CAP_ENDING) ? -EXO_E_FROZEN : 0;
}

#endif
