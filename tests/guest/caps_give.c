/* SPDX-License-Identifier: MIT */
/*
 * caps_give.c - giving claims to another environment, which must have opened the slot for it.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "guest.h"
#include "peer.h"

EXO_TEST(give_needs_an_open_slot, SHORT)
{
	struct guest_frames f;
	struct peer peer;
	exo_slot control, giver;

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(peer_make(&peer), 0);
	/* Who controls an environment fills its table as it likes; others need an opening. */
	control = peer.env;
	must((giver = guest_narrow(control, 0, 0, EXO_R_GIVE)) != 0);
	expect(peer_give(&peer, 20, f.slot, EXO_R_READ | EXO_SHARE) > 0);
	peer.env = giver;
	peer.page->open_lo = peer.sid + 4;
	peer.page->open_hi = peer.sid + 6;
	expect_error(peer_give(&peer, 3, f.slot, EXO_R_READ | EXO_SHARE), SLOT);
	expect_error(peer_give(&peer, 6, f.slot, EXO_R_READ | EXO_SHARE), SLOT);
	expect_eq(peer.slots[3].kind, EXO_KIND_NONE);
	expect(peer_give(&peer, 4, f.slot, EXO_R_READ | EXO_SHARE) > 0);
	expect_error(peer_give(&peer, 4, f.slot, EXO_R_READ | EXO_SHARE), SLOT);
	expect_eq(peer.slots[4].kind, EXO_KIND_FRAME);
	expect_eq(peer.slots[4].rights, EXO_R_READ);
	expect_eq(peer.slots[4].flags, EXO_CAP_SHARE);
	expect_eq(peer.slots[4].parent, exo_slot_sid(f.slot));
	/* An opening that lies: beyond the table, reversed, of another's table. */
	peer.page->open_lo = 0;
	peer.page->open_hi = ~0ull;
	expect_error(exo_cap_give(f.slot, peer.env, exo_slot_sid(f.slot), EXO_R_READ | EXO_SHARE),
		     SLOT);
	expect_error(exo_cap_give(f.slot, peer.env, f.lo * 64, EXO_R_READ | EXO_SHARE), SLOT);
	peer.page->open_lo = peer.sid + 6;
	peer.page->open_hi = peer.sid + 5;
	expect_error(peer_give(&peer, 5, f.slot, EXO_R_READ | EXO_SHARE), SLOT);
	peer.env = control;
	peer_end(&peer);
	guest_frames_end(&f);
}

/* In the peer: map the frame of slot 2 by its name in word[0], store, tell the result. */
static void map_and_store(struct peer *peer)
{
	struct exo_map_op op = { .slot = peer->word[0], .va = peer->word[1], .pfn = peer->word[2],
				 .pages = 1, .op = EXO_MAP, .prot = EXO_R_READ | EXO_R_WRITE };

	peer->word[3] = (uint64_t)exo_space_update(peer->word[4], (uint64_t)&op, 1);
	if (peer->word[3] == 1)
		*(volatile uint64_t *)op.va = 0xfeed;
}

EXO_TEST(what_is_given_is_the_receivers, SHORT)
{
	uint64_t va = 0x200000000000;
	struct guest_frames f;
	struct peer peer;
	int64_t frame, space;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, va, 1), 0);
	must_eq(peer_make(&peer), 0);
	must((frame = peer_give(&peer, 2, f.slot, GUEST_RW)) > 0);
	must((space = peer_give(&peer, 3, guest_claim("space"), EXO_R_CONTROL)) > 0);
	expect_eq(guest_holder(f.lo), peer.sid + 2);
	peer.word[0] = (uint64_t)frame;
	peer.word[1] = va;
	peer.word[2] = f.lo;
	peer.word[4] = (uint64_t)space;
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 2), 0);
	must_eq(peer_start(&peer, map_and_store, 0), 0);
	must(peer_wait(&peer, 5000));
	expect_eq(peer.word[3], 1);
	expect_eq(*(volatile uint64_t *)va, 0xfeed);
	/* Our name for it is of no use to the peer, its name of none to us. */
	expect_error(exo_cap_drop((exo_slot)frame), STALE);
	expect_error(exo_cap_narrow(f.slot, guest_sid(), f.lo, f.hi, EXO_R_READ), SPLIT);
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect_eq(peer.slots[2].kind, EXO_KIND_NONE);
	expect_eq(exos_space_entry(va, NULL), 0);
	expect_eq(guest_holder(f.lo), exo_slot_sid(f.slot));
	peer_end(&peer);
	guest_frames_end(&f);
}

EXO_TEST(give_then_drop_hands_over_for_good, SHORT)
{
	struct guest_frames f;
	struct peer peer;
	exo_slot middle;

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(peer_make(&peer), 0);
	must((middle = guest_narrow(f.slot, f.lo, f.lo + 1, GUEST_RW)) != 0);
	must(peer_give(&peer, 0, middle, GUEST_RW) > 0);
	expect_eq(exos_cap_drop(middle), 0);
	expect_eq(peer.slots[0].parent, exo_slot_sid(f.slot));
	expect_eq(guest_holder(f.lo), peer.sid);
	peer_end(&peer);
	/* The peer's table ended: what it held is its ancestor's again. */
	expect_eq(guest_holder(f.lo), exo_slot_sid(f.slot));
	guest_frames_end(&f);
}

EXO_TEST(what_an_environment_gave_stays_when_it_ends, SHORT)
{
	struct guest_frames f;
	struct peer giver, taker;
	int64_t held;

	must_eq(guest_frames_make(&f, 2), 0);
	must_eq(peer_make(&giver), 0);
	must_eq(peer_make(&taker), 0);
	must((held = peer_give(&giver, 0, f.slot, GUEST_RW)) > 0);
	/*
	 * Only the giver itself could narrow it; we, its ancestor, gave a share beforehand
	 * elsewhere.
	 */
	expect_error(peer_give(&taker, 0, f.slot, EXO_R_READ | EXO_SHARE), SPLIT);
	peer_end(&giver);
	expect(peer_give(&taker, 0, f.slot, EXO_R_READ | EXO_SHARE) > 0);
	expect_eq(taker.slots[0].kind, EXO_KIND_FRAME);
	peer_end(&taker);
	guest_frames_end(&f);
}
