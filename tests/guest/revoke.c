/* SPDX-License-Identifier: MIT */
/*
 * revoke.c - memory that is asked for: a program that gives it back by itself, and one that lets it
 * be taken; both go on working.
 *
 * Both are given a claim `extra` beside their memory, fill a region that can be rebuilt with frames
 * of both, and check and rebuild its pages for ever.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/pager.h>
#include <exos/revoke.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "parts.h"
#include "peer.h"
#include "revoke_part.h"
#include "suite.h"

#define SECOND 1000000000ull
#define EXTRA  512u             /* frames that are asked for */
#define PAGES  500u             /* of the region; the program's own memory has room for fewer */
#define ROUND  32u              /* of them are used in each round */
#define CHILD  500u             /* frames */
#define PAGE_WORD(va) (((va) >> EXO_PAGE_SHIFT) * 0x9e3779b97f4a7c15ul)

/* A page shows a word made of its address, so it can be made anew at any time. */
static int rebuild(struct exos_region *region, struct exos_fault *fault)
{
	uint64_t va = round_down(fault->va, EXO_PAGE_SIZE);
	int err = exos_pager_zero.fault(region, fault);

	if (err == 0)
		*(uint64_t *)va = PAGE_WORD(va);
	return err;
}

static void discard(struct exos_region *region, uint64_t va, uint64_t pages)
{
	exos_pager_zero.discard(region, va, pages);
}

static const struct exos_pager rebuilding = { "rebuilding", rebuild, discard };
static struct exos_region region;

/* Use some pages, then discard them, so that the rest of the memory suffices. */
static bool use_some(unsigned round)
{
	for (unsigned i = 0; i < ROUND; i++) {
		uint64_t va = region.lo + (round * ROUND + i) % PAGES * EXO_PAGE_SIZE;

		if (*(volatile uint64_t *)va != PAGE_WORD(va))
			return false;
	}
	exos_region_discard(&region, region.lo, PAGES);
	return true;
}

static bool fill(void)
{
	const struct exos_grant *extra = exos_grant("extra", 0);

	if (!extra || exos_frame_add(extra->slot, extra->lo, extra->hi) < 0)
		return false;
	if (exos_region_make(&region, PAGES * EXO_PAGE_SIZE, "rebuilt") < 0)
		return false;
	region.pager = &rebuilding;
	region.flags = EXOS_REGION_REBUILD;
	return exos_region_fill(&region, region.lo, PAGES) == 0;
}

/* Go on until the claim is gone, and a while longer; then end well. */
static int live(bool listen)
{
	exo_slot slot;

	if (!fill())
		return SUITE_EXIT_FAIL;
	slot = exos_grant("extra", 0)->slot;
	exos_page()->exit_code = REVOKE_PART_FILLED;
	while (exos_cap_look(slot)) {
		if (listen)
			exos_event_run(exos_deadline(SECOND / 1000));
		else
			exos_sleep(SECOND / 1000);
	}
	if (!listen)
		exos_event_run(exos_deadline(SECOND));
	for (unsigned round = 0; round < 40; round++)
		if (!use_some(round))
			return SUITE_EXIT_FAIL;
	/* The slot is free again and nothing of the claim is left in the allocator. */
	if (exos_frame_claim(exos_grant("extra", 0)->lo))
		return SUITE_EXIT_FAIL;
	return 0;
}

int citizen_part(void)
{
	return live(true);
}

static void ignore(exo_slot slot, const struct exo_cap *cap, uint64_t deadline_tsc)
{
	(void)slot, (void)cap, (void)deadline_tsc;
}

int miser_part(void)
{
	static struct exos_revoke_ops own;

	own = exos_revoke_default;
	own.asked = ignore;
	exos_revoke_ops_set(&own);
	return live(false);
}

static void ask(const char *name, uint64_t ms, int taken)
{
	const struct revoke_part part = { .name = name, .own = CHILD, .extra = EXTRA };

	revoke_part_ask(&part, ms, taken);
}

EXO_TEST(a_program_gives_back_what_it_is_asked_for, LONG)
{
	ask("citizen", 10000, 0);
}

EXO_TEST(a_program_that_does_not_give_is_taken_from, LONG)
{
	ask("miser", 300, 1);
}

/* --- call by call: flags, events, records --- */
static void sleep_for_ever(struct peer *peer)
{
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

EXO_TEST(asking_marks_claims_and_tells_their_holders_once, SHORT)
{
	struct guest_frames f;
	struct peer peer;
	int64_t one, two;

	must_eq(guest_frames_make(&f, 8), 0);
	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, exos_page()->cpu, 0, 1), 0);
	peer.page->ask_entry = 9;
	must((one = peer_give(&peer, 1, guest_narrow(f.slot, f.lo, f.lo + 2, GUEST_RW),
			      GUEST_RW)) > 0);
	must((two = peer_give(&peer, 2, guest_narrow(f.slot, f.lo + 2, f.lo + 4, GUEST_RW),
			      GUEST_RW)) > 0);
	expect_eq(exos_revoke_ask(f.slot, 1ul << 62), 0);
	expect_eq(peer.slots[1].flags & EXO_CAP_ASKED, EXO_CAP_ASKED);
	expect_eq(peer.slots[2].flags & EXO_CAP_ASKED, EXO_CAP_ASKED);
	expect_eq(peer.page->event_count[9], 2);
	expect_eq(peer.page->event_head, 1);
	expect_eq(peer.page->event_ring[0], 9);
	expect_eq(peer.page->ask_tsc, 1ul << 62);
	/* An earlier deadline counts; asking changes nothing of what the claims may do. */
	expect_eq(exos_revoke_ask(f.slot, 1ul << 61), 0);
	expect_eq(peer.page->ask_tsc, 1ul << 61);
	expect_eq(exos_revoke_ask(f.slot, 1ul << 63), 0);
	expect_eq(peer.page->ask_tsc, 1ul << 61);
	expect_eq(peer.page->taken, 0);
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect_eq(peer.page->taken, 2);
	for (unsigned i = 1; i <= 2; i++) {
		expect_eq(peer.slots[i].kind, EXO_KIND_NONE);
		expect_eq(peer.slots[i].flags, EXO_CAP_TAKEN);
		expect_eq(peer.slots[i].badge, EXO_KIND_FRAME);
		expect_eq(peer.slots[i].lo, f.lo + 2 * (i - 1));
		expect_eq(peer.slots[i].hi, f.lo + 2 * i);
		expect(peer.slots[i].held == 1 || peer.slots[i].held == 2);
		expect_eq(peer.slots[i].gen, (i == 1 ? exo_slot_gen(one) : exo_slot_gen(two)) + 1);
	}
	/* The record goes when the slot is used anew, and a drop of one's own leaves none. */
	must((one = peer_give(&peer, 1, f.slot, EXO_R_READ)) > 0);
	expect_eq(peer.slots[1].flags, 0);
	expect_eq(peer.page->taken, 2);
	exos_slot_sweep();
	expect_eq(peer_start(&peer, sleep_for_ever, 0), 0);
	peer_end(&peer);
	expect_eq(exos_cap_revoke(f.slot), 0);
}

EXO_TEST(asking_needs_a_claim_and_a_place_in_its_list, SHORT)
{
	struct guest_frames f;
	exo_slot a, b;

	must_eq(guest_frames_make(&f, 40), 0);
	must((a = guest_narrow(f.slot, f.lo, f.lo + 1, GUEST_RW)) != 0);
	must((b = guest_narrow(a, f.lo, f.lo + 1, GUEST_RW)) != 0);
	expect_error(exo_cap_ask(f.slot + (1ul << 32), 0, 0), STALE);
	expect_error(exo_cap_ask(f.slot, 0, b), STALE);
	expect_error(exo_cap_ask(f.slot, 0, f.slot), STALE);
	expect_error(exo_cap_ask(f.slot, 0, a + (1ul << 32)), STALE);
	expect_error(exo_cap_ask(f.slot, 0, ~0ul), STALE);
	expect_eq(exo_cap_ask(f.slot, 0, a), 0);
	expect_eq(exos_cap_look(a)->flags, EXO_CAP_ASKED);
	expect_eq(exos_cap_look(b)->flags, 0);
	for (unsigned i = 1; i < 40; i++)
		must(guest_narrow(f.slot, f.lo + i, f.lo + i + 1, GUEST_RW) != 0);
	must((b = (exo_slot)exo_cap_ask(f.slot, 0, 0)) > 1);
	expect_eq(exos_cap_look(b)->flags, 0);
	expect_eq(exo_cap_ask(f.slot, 0, b), 0);
	expect_eq(exos_cap_look(b)->flags, EXO_CAP_ASKED);
}
