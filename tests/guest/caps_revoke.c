/* SPDX-License-Identifier: MIT */
/*
 * caps_revoke.c - taking back what was derived: deep, wide, in pieces, frozen meanwhile.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "guest.h"

/* Revoke piece by piece; the number of calls, or an error. */
static int64_t revoke_counted(exo_slot slot)
{
	int64_t calls = 1, err;

	while ((err = exo_cap_revoke(slot)) == EXO_MORE)
		calls++;
	return err < 0 ? err : calls;
}

EXO_TEST(revoke_of_a_deep_tree, LONG)
{
	enum { DEPTH = 2000 };
	struct guest_frames f;
	exo_slot at, below, first = 0;

	must_eq(guest_frames_make(&f, 4), 0);
	at = f.slot;
	for (unsigned i = 0; i < DEPTH; i++) {
		must((below = guest_narrow(at, f.lo, f.lo + 2, GUEST_RW)) != 0);
		first = first ? first : below;
		at = below;
	}
	expect_eq(guest_holder(f.lo), exo_slot_sid(at));
	expect_eq(exos_cap_look(at)->lo, f.lo);
	expect(revoke_counted(f.slot) > 1);
	expect(!exos_cap_look(first) && !exos_cap_look(at));
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 4);
	expect_eq(exos_cap_look(f.slot)->flags, 0);
	expect_eq(exos_cap_look(f.slot)->child, 0);
	expect(guest_narrow(f.slot, f.lo, f.hi, GUEST_RW) != 0);
}

EXO_TEST(revoke_of_a_wide_tree, LONG)
{
	enum { WIDTH = 1000 };
	struct guest_frames f;

	must_eq(guest_frames_make(&f, WIDTH), 0);
	for (unsigned i = 0; i < WIDTH; i++)
		must(guest_narrow(f.slot, f.lo + i, f.lo + i + 1, GUEST_RW) != 0);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 0);
	expect(revoke_counted(f.slot) > 1);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), WIDTH);
	expect_eq(exos_cap_look(f.slot)->child, 0);
}

EXO_TEST(revoke_freezes_until_done, LONG)
{
	enum { WIDTH = 1500 };
	struct guest_frames f;
	exo_sid sid = guest_sid();
	struct exo_map_op op = { .va = 0x200000000000, .pages = 1, .op = EXO_MAP,
				.prot = EXO_R_READ };

	must_eq(guest_frames_make(&f, WIDTH + 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, op.va, 1), 0);
	for (unsigned i = 0; i < WIDTH; i++)
		must(guest_narrow(f.slot, f.lo + i, f.lo + i + 1, GUEST_RW) != 0);
	op.slot = f.slot;
	op.pfn = f.lo + WIDTH;
	must_eq(exo_cap_revoke(f.slot), EXO_MORE);
	expect_eq(exos_cap_look(f.slot)->flags & EXO_CAP_FROZEN, EXO_CAP_FROZEN);
	expect_error(exo_cap_narrow(f.slot, sid, f.lo + WIDTH, f.hi, GUEST_RW), FROZEN);
	expect_error(exo_cap_give(f.slot, guest_claim("env"), sid, EXO_R_READ), FROZEN);
	expect_error(exo_retype(f.slot, sid, f.lo + WIDTH, EXO_KIND_TABLE, guest_claim("env")),
		     FROZEN);
	expect_error(exo_space_update(guest_claim("space"), (uint64_t)&op, 1), FROZEN);
	expect_eq(exos_cap_revoke(f.slot), 0);
	/* Done: all of it is allowed again. */
	expect_eq(exo_space_update(guest_claim("space"), (uint64_t)&op, 1), 1);
	expect_eq(exos_space_unmap(&exos_space_own, op.va, 1), 0);
	expect(exo_cap_narrow(f.slot, sid, f.lo + WIDTH, f.hi, GUEST_RW) > 0);
}

EXO_TEST(revoke_spares_the_claim_and_its_siblings, SHORT)
{
	struct guest_frames f;
	exo_slot a, b, below;
	uint64_t *words;

	must_eq(guest_frames_make(&f, 4), 0);
	must((a = guest_narrow(f.slot, f.lo, f.lo + 2, GUEST_R_FRAMES)) != 0);
	must((b = guest_narrow(f.slot, f.lo + 2, f.hi, GUEST_R_FRAMES)) != 0);
	must((below = guest_narrow(a, f.lo, f.lo + 1, GUEST_RW)) != 0);
	words = exos_space_window(b, f.lo + 2, 1, GUEST_RW, NULL);
	must(words != NULL);
	words[5] = 0x1234;
	expect_eq(exos_cap_revoke(a), 0);
	expect(!exos_cap_look(below));
	expect(exos_cap_look(a) && exos_cap_look(b));
	expect_eq(guest_held(f.lo, f.lo + 2, exo_slot_sid(a)), 2);
	expect_eq(words[5], 0x1234);
	exos_space_window_end(words, 1);
}

EXO_TEST(revoke_takes_mappings_away, SHORT)
{
	struct guest_frames f;
	uint64_t va = 0x200000000000;
	exo_slot child;

	must_eq(guest_frames_make(&f, 600), 0);
	must((child = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW)) != 0);
	must_eq(exos_space_map(&exos_space_own, va, child, f.lo, 600, GUEST_RW), 0);
	must_eq(exos_space_map(&exos_space_own, va + (1ul << 30), child, f.lo, 600, EXO_R_READ), 0);
	expect_eq(guest_maps(f.lo + 7), 2);
	expect(exos_space_entry(va, NULL) && exos_space_entry(va + 599 * 4096, NULL));
	/* Given away frames that are mapped through the claim itself cannot be. */
	expect_error(exo_cap_narrow(child, guest_sid(), f.lo, f.lo + 1, EXO_R_READ), MAPPED);
	expect(revoke_counted(f.slot) > 1);
	expect_eq(exos_space_entry(va, NULL), 0);
	expect_eq(exos_space_entry(va + (1ul << 30) + 599 * 4096, NULL), 0);
	expect_eq(guest_maps(f.lo + 7), 0);
	expect_eq(guest_held(f.lo, f.hi, exo_slot_sid(f.slot)), 600);
}

EXO_TEST(a_slot_is_used_again_many_times, SHORT)
{
	struct guest_frames f;
	exo_sid sid = guest_sid();
	exo_slot last = 0;

	must_eq(guest_frames_make(&f, 1), 0);
	for (unsigned i = 0; i < 3000; i++) {
		exo_slot now = (exo_slot)exo_cap_narrow(f.slot, sid, f.lo, f.hi, GUEST_RW);

		must((int64_t)now > 0 && now != last);
		must_eq(exo_slot_sid(now), sid);
		must_eq(exo_cap_drop(now), 0);
		last = now;
	}
	expect_error(exo_cap_drop(last), STALE);
}

EXO_TEST(revoke_costs_what_it_takes, BIG)
{
	enum { FEW = 100, MANY = 10000 };
	static const unsigned mapped[] = { FEW, MANY };
	uint64_t va = 0x200000000000, cost[2];
	struct guest_frames f;

	must_eq(guest_frames_make(&f, MANY), 0);
	for (unsigned n = 0; n < ARRAY_LEN(mapped); n++) {
		exo_slot one = guest_narrow(f.slot, f.lo, f.lo + 1, GUEST_RW);
		uint64_t best = UINT64_MAX;

		must(one != 0);
		must_eq(exos_space_map(&exos_space_own, va + 4096, f.slot, f.lo + 1, mapped[n] - 1,
				       GUEST_RW), 0);
		for (unsigned round = 0; round < 9; round++) {
			exo_slot share = guest_narrow(one, f.lo, f.lo + 1, GUEST_RW | EXO_SHARE);
			uint64_t start;

			must_eq(exos_space_map(&exos_space_own, va, share, f.lo, 1, GUEST_RW), 0);
			start = insn_tsc_ordered();
			must_eq(revoke_counted(one), 1);
			best = min_u64(best, insn_tsc_ordered() - start);
			must_eq(exos_space_entry(va, NULL), 0);
		}
		cost[n] = best;
		must_eq(exos_space_unmap(&exos_space_own, va + 4096, mapped[n] - 1), 0);
		must_eq(exos_cap_end(one), 0);
	}
	printf("revoke of one frame: %lu ticks with %d mapped, %lu with %d\n", cost[0], FEW,
	       cost[1], MANY);
	/*
	 * Exact under the deterministic clock; elsewhere a search would still cost a hundredfold.
	 */
	expect(cost[1] * 10 <= cost[0] * (guest_icount() ? 11 : 40));
}
