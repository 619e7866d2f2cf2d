/* SPDX-License-Identifier: MIT */
/*
 * caps_derive.c - narrowing, sharing, dropping: who holds what, and what a refused call changes.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "guest.h"

/* Map one frame by a claim at a scratch address and unmap it again: what mapping returned. */
static int try_map(exo_slot claim, uint64_t pfn, uint32_t prot)
{
	int err = 0;
	void *window = exos_space_window(claim, pfn, 1, prot, &err);

	if (window)
		exos_space_window_end(window, 1);
	return err;
}

EXO_TEST(narrow_moves_the_range_out, SHORT)
{
	struct guest_frames f;
	const struct exo_cap *cap;
	exo_slot child;

	must_eq(guest_frames_make(&f, 4), 0);
	must((child = guest_narrow(f.slot, f.lo + 1, f.lo + 3, GUEST_RW)) != 0);
	must((cap = exos_cap_look(child)) != NULL);
	expect_eq(cap->kind, EXO_KIND_FRAME);
	expect_eq(cap->lo, f.lo + 1);
	expect_eq(cap->hi, f.lo + 3);
	expect_eq(cap->rights, GUEST_RW);
	expect_eq(cap->flags, 0);
	expect_eq(cap->parent, exo_slot_sid(f.slot));
	expect_eq(guest_holder(f.lo), exo_slot_sid(f.slot));
	expect_eq(guest_holder(f.lo + 1), exo_slot_sid(child));
	expect_eq(guest_holder(f.lo + 2), exo_slot_sid(child));
	expect_eq(guest_holder(f.lo + 3), exo_slot_sid(f.slot));
	/* What was given away is the child's alone; the rest is still the parent's. */
	expect_error(try_map(f.slot, f.lo + 1, GUEST_RW), SPLIT);
	expect_eq(try_map(f.slot, f.lo + 3, GUEST_RW), 0);
	expect_eq(try_map(child, f.lo + 1, GUEST_RW), 0);
	expect_error(try_map(child, f.lo + 3, GUEST_RW), RANGE);
	expect_eq(exos_cap_drop(child), 0);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect_eq(try_map(f.slot, f.lo + 1, GUEST_RW), 0);
}

EXO_TEST(siblings_never_overlap, SHORT)
{
	struct guest_frames f;
	exo_slot a;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 8), 0);
	must((a = guest_narrow(f.slot, f.lo + 2, f.lo + 5, GUEST_RW)) != 0);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo + 4, f.lo + 6, GUEST_RW), SPLIT);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo, f.lo + 3, GUEST_RW), SPLIT);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo + 2, f.lo + 5, GUEST_RW), SPLIT);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo + 3, f.lo + 4, GUEST_RW), SPLIT);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo, f.hi, GUEST_RW), SPLIT);
	expect(exo_cap_narrow(f.slot, sid, f.lo + 5, f.hi, GUEST_RW) > 0);
	expect(exos_cap_look(a) != NULL);
	expect_eq(guest_held(f.lo, f.hi, sid), 3);
}

EXO_TEST(rights_only_shrink, SHORT)
{
	struct guest_frames f;
	exo_slot reader, made;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 2), 0);
	must((reader = guest_narrow(f.slot, f.lo, f.hi, EXO_R_READ)) != 0);
	expect_error(exo_cap_narrow(reader, sid, f.lo, f.hi, GUEST_RW), RIGHTS);
	expect_error(exo_cap_narrow(reader, sid, f.lo, f.hi, EXO_R_READ | EXO_R_RETYPE), RIGHTS);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo, f.hi, GUEST_R_FRAMES | EXO_R_CALL), RIGHTS);
	expect_error(try_map(reader, f.lo, GUEST_RW), RIGHTS);
	expect_error(try_map(reader, f.lo, EXO_R_READ | EXO_R_EXEC), RIGHTS);
	expect_error(exo_retype(reader, sid, f.lo, EXO_KIND_PT, 1), RIGHTS);
	expect_eq(try_map(reader, f.lo, EXO_R_READ), 0);
	made = (exo_slot)exo_cap_narrow(reader, sid, f.lo, f.lo + 1, EXO_R_READ);
	must(exos_cap_look(made) != NULL);
	expect_eq(exos_cap_look(made)->rights, EXO_R_READ);
}

EXO_TEST(share_leaves_the_range_with_its_holder, SHORT)
{
	struct guest_frames f;
	exo_slot share, second;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 4), 0);
	must((share = guest_narrow(f.slot, f.lo, f.lo + 2, EXO_R_READ | EXO_SHARE)) != 0);
	expect_eq(exos_cap_look(share)->flags, EXO_CAP_SHARE);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect_eq(try_map(f.slot, f.lo, GUEST_RW), 0);
	expect_eq(try_map(share, f.lo, EXO_R_READ), 0);
	expect_error(try_map(share, f.lo, GUEST_RW), RIGHTS);
	expect_error(try_map(share, f.lo + 2, EXO_R_READ), RANGE);
	/*
	 * A share is given on as a share, never split or retyped; while it lives, neither is its
	 * holder's.
	 */
	expect_refused(exo_retype(share, sid, f.lo, EXO_KIND_TABLE, guest_claim("env")));
	expect_error(exo_cap_narrow(f.slot, sid, f.lo + 2, f.lo + 3, GUEST_RW), SHARED);
	expect_error(exo_retype(f.slot, sid, f.lo + 2, EXO_KIND_TABLE, guest_claim("env")), SHARED);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo, f.hi, GUEST_R_FRAMES | EXO_SHARE), RIGHTS);
	must((second = guest_narrow(share, f.lo, f.lo + 1, EXO_R_READ)) != 0);
	expect_eq(exos_cap_look(second)->flags & EXO_CAP_SHARE, EXO_CAP_SHARE);
	expect_eq(try_map(second, f.lo, EXO_R_READ), 0);
	/* Without shares the holder may do all of it again. */
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect(!exos_cap_look(share) && !exos_cap_look(second));
	expect(exo_cap_narrow(f.slot, sid, f.lo + 2, f.lo + 3, GUEST_RW) > 0);
}

EXO_TEST(drop_hangs_children_on_the_parent, SHORT)
{
	struct guest_frames f;
	exo_slot b, c1, c2;

	must_eq(guest_frames_make(&f, 8), 0);
	must((b = guest_narrow(f.slot, f.lo, f.lo + 6, GUEST_RW)) != 0);
	must((c1 = guest_narrow(b, f.lo + 1, f.lo + 2, GUEST_RW)) != 0);
	must((c2 = guest_narrow(b, f.lo + 3, f.lo + 4, EXO_R_READ)) != 0);
	expect_eq(exos_cap_drop(b), 0);
	must(exos_cap_look(c1) && exos_cap_look(c2));
	expect_eq(exos_cap_look(c1)->parent, exo_slot_sid(f.slot));
	expect_eq(exos_cap_look(c2)->parent, exo_slot_sid(f.slot));
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 6);
	expect_eq(guest_holder(f.lo + 1), exo_slot_sid(c1));
	expect_eq(try_map(c1, f.lo + 1, GUEST_RW), 0);
	expect_error(try_map(f.slot, f.lo + 1, GUEST_RW), SPLIT);
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect(!exos_cap_look(c1) && !exos_cap_look(c2));
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 8);
}

EXO_TEST(a_stale_name_is_an_error, SHORT)
{
	struct guest_frames f;
	exo_slot old, fresh;
	exo_sid sid = guest_sid();

	must_eq(guest_frames_make(&f, 2), 0);
	old = (exo_slot)exo_cap_narrow(f.slot, sid, f.lo, f.lo + 1, GUEST_RW);
	must(exos_cap_look(old) != NULL);
	expect_eq(exo_cap_drop(old), 0);
	expect_error(exo_cap_drop(old), STALE);
	expect_error(exo_cap_revoke(old), STALE);
	/* The slot is used again, under another name. */
	fresh = (exo_slot)exo_cap_narrow(f.slot, sid, f.lo, f.lo + 1, GUEST_RW);
	must(exos_cap_look(fresh) != NULL);
	expect_eq(exo_slot_sid(fresh), exo_slot_sid(old));
	expect(fresh != old);
	expect_error(exo_cap_drop(old), STALE);
	expect_error(exo_cap_narrow(old, guest_sid(), f.lo, f.lo + 1, EXO_R_READ), STALE);
	expect_error(try_map(old, f.lo, EXO_R_READ), STALE);
	expect_eq(try_map(fresh, f.lo, EXO_R_READ), 0);
}

EXO_TEST(claims_of_objects_narrow_by_rights, SHORT)
{
	exo_slot env = guest_claim("env"), weak = 0;
	exo_sid sid = guest_sid();

	must((weak = guest_narrow(env, 0, 0, EXO_R_NOTIFY)) != 0);
	expect_eq(exos_cap_look(weak)->kind, EXO_KIND_ENV);
	expect_eq(exos_cap_look(weak)->rights, EXO_R_NOTIFY);
	expect_eq(exos_cap_look(weak)->lo, exos_cap_look(env)->lo);
	expect_error(exo_cap_narrow(weak, sid, 0, 0, EXO_R_CONTROL), RIGHTS);
	expect_error(exo_env_control(weak, EXO_ENV_STOP, 0, 0), RIGHTS);
	expect_error(exo_cap_give(env, weak, sid, EXO_R_NOTIFY), RIGHTS);
	expect_error(exo_gate_make(weak, sid, 0x400000, 1), RIGHTS);
	expect_eq(exos_cap_drop(weak), 0);
}
