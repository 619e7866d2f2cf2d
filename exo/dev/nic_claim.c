/* SPDX-License-Identifier: MIT */
/*
 * nic_claim.c - NIC claims: narrowing them, and keeping their filters where the claims are.
 *
 * Invariant: see nic_claim.h.  The classifier is changed with tree_lock and the NIC's lock held, so
 * that either is enough to read it.  What a pattern matches is decided in filter.c.
 */
#include "dev/nic_claim.h"

#include "calls.h"
#include "cpu.h"
#include "dev/nic.h"
#include "filter.h"
#include "hold.h"
#include "kernel.h"
#include "prog.h"
#include "x86/trap.h"

static struct lock *nic_lock(const struct exo_cap *c)
{
	return &nics.nic[c->unit].lock;
}

int nic_give_check(const struct exo_cap *parent)
{
	const struct filter *f = filter_at(parent->lo);

	return f->pub.holder != slot_sid(parent) || filter_has_children(f) ? -EXO_E_SPLIT : 0;
}

static void holder_set(const struct exo_cap *c, exo_sid holder)
{
	lock_take(nic_lock(c));
	filter_prog_drop(filter_at(c->lo));
	filter_at(c->lo)->pub.holder = holder;
	lock_release(nic_lock(c));
}

void nic_given(struct exo_cap *child)
{
	holder_set(child, slot_sid(child));
}

void nic_root(struct exo_cap *root)
{
	holder_set(root, slot_sid(root));
}

/* Does the claim above name the same filter? */
static bool parent_has_filter(const struct exo_cap *c)
{
	const struct exo_cap *parent = slot_at(c->parent);

	return c->parent && parent->kind == EXO_KIND_NIC && parent->lo == c->lo;
}

void nic_forget(struct exo_cap *c)
{
	struct filter *f = filter_at(c->lo);

	if (f->pub.holder != slot_sid(c))
		return;
	if (parent_has_filter(c)) {
		holder_set(c, c->parent);
		return;
	}
	lock_take(nic_lock(c));
	filter_prog_drop(f);
	filter_detach(f);
	f->pub.holder = 0;
	lock_release(nic_lock(c));
}

void nic_inherit(struct exo_cap *kid, const struct exo_cap *c, const struct exo_cap *heir)
{
	if (kid->kind != EXO_KIND_NIC || kid->lo == c->lo || heir->lo == c->lo)
		return;
	lock_take(nic_lock(c));
	nic_turn_rehang(filter_at(kid->lo), filter_at(heir->lo));
	lock_release(nic_lock(c));
}

int filter_end(uint64_t pfn)
{
	const struct filter *f = filter_at(pfn);

	while (f->pub.holder) {
		struct exo_cap *c = slot_at(f->pub.holder);

		c->flags |= EXO_CAP_FROZEN | EXO_CAP_ENDING;
		if (work_left <= 0 || claim_revoke(c) || claim_drop(c))
			return EXO_MORE;
	}
	return 0;
}

struct narrow {
	struct exo_cap *nic, *dst, *filter;
	struct exo_nic_spec added;
	unsigned rights;
	bool share;
};

/* The whole patterns of the new claim, between check and act; tree_lock guards it. */
static struct exo_nic_spec whole;

static int claims_check(struct env *e, uint64_t nic, uint64_t dst, uint64_t filter,
                        struct narrow *n)
{
	int err = claim_find(e, nic, EXO_KIND_NIC, n->rights, &n->nic);

	if (!err)
		err = claim_find(e, filter, EXO_KIND_FILTER, EXO_R_CONTROL, &n->filter);
	if (!err)
		err = slot_empty(e, dst, &n->dst);
	if (err < 0)
		return err;
	if ((n->nic->flags | n->filter->flags) & (EXO_CAP_FROZEN | EXO_CAP_ENDING))
		return -EXO_E_FROZEN;
	if (n->nic->flags & EXO_CAP_SHARE)
		return -EXO_E_SHARED;
	if (filter_at(n->filter->lo)->pub.holder)
		return -EXO_E_BUSY;
	return filter_at(n->nic->lo)->pub.holder != slot_sid(n->nic) ? -EXO_E_SPLIT : 0;
}

static void narrow(const struct narrow *n)
{
	const struct claim_spec spec = {
		.kind = EXO_KIND_NIC, .lo = n->filter->lo, .unit = n->nic->unit,
		.rights = n->rights, .share = n->share,
	};
	struct filter *f = filter_at(spec.lo);

	claim_derive(n->nic, n->dst, &spec);
	lock_take(nic_lock(n->nic));
	filter_attach(filter_at(n->nic->lo), f, &whole, n->rights, n->share);
	f->pub.holder = slot_sid(n->dst);
	lock_release(nic_lock(n->nic));
}

int64_t sys_nic_narrow(struct env *e, uint64_t nic, uint64_t dst, uint64_t filter, uint64_t spec,
                       uint64_t rights)
{
	struct narrow n = { .rights = rights & EXO_R_ALL, .share = rights & EXO_SHARE };
	int64_t result;

	if (rights & ~(uint64_t)(EXO_R_READ | EXO_R_WRITE | EXO_SHARE))
		return -EXO_E_ARG;
	if (copy_in(&n.added, spec, sizeof(n.added)))
		return -EXO_E_FAULT;
	tree_take();
	result = claims_check(e, nic, dst, filter, &n);
	if (!result)
		result = filter_check(filter_at(n.nic->lo), &n.added, n.rights, n.share, &whole);
	if (!result) {
		narrow(&n);
		result = slot_name(n.dst);
	}
	tree_release();
	return result;
}
