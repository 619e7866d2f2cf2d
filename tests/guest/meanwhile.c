/* SPDX-License-Identifier: MIT */
/*
 * meanwhile.c - mappings of one space changed from several CPUs at once: by whoever made them, by
 * others, and while the claim that they were made by ends.
 *
 * Whatever the order was, afterwards entries, lists and counts say the same: what ends with a claim
 * is all that it mapped, and nothing is left.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>

#include "guest.h"
#include "peer.h"

#define SECOND 1000000000ull
#define VA     0x0000200000000000ull
#define PAGES  12u                      /* six on each side of the border of two tables */
#define FIRST  (VA + (512 - PAGES / 2) * EXO_PAGE_SIZE)
#define FRAMES 4u
#define PEERS  4u

/* Words of a peer. */
enum { SEED, CLAIM, PFN, SPACE, ROUNDS, MISTAKES };

static volatile uint64_t over;

static uint64_t entry_of(uint64_t va)
{
	return *(volatile uint64_t *)(EXO_SELF_VA + (va >> 12) * 8);
}

static uint64_t below(struct peer *peer, uint64_t bound)
{
	uint64_t x = peer->word[SEED];

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (peer->word[SEED] = x) % bound;
}

static int64_t change(struct peer *peer, unsigned op, uint64_t va, uint64_t pages, unsigned prot)
{
	struct exo_map_op o = { .slot = peer->word[CLAIM], .va = va, .pages = (uint32_t)pages,
				.pfn = peer->word[PFN] + below(peer, FRAMES + 1 - pages),
				.op = (uint16_t)op, .prot = (uint16_t)prot };

	return exo_space_update(peer->word[SPACE], (uint64_t)&o, 1);
}

/* Is it one of the answers that others' changes explain? */
static bool is_explained(int64_t result)
{
	return result == 1 || result == -EXO_E_MAPPED || result == -EXO_E_NOTABLE ||
	       result == -EXO_E_RIGHTS || result == -EXO_E_STALE || result == -EXO_E_FROZEN;
}

/* Map own frames anywhere, take away and protect what anybody mapped. */
static void change_any(struct peer *peer)
{
	static const uint16_t ops[] = { EXO_MAP, EXO_UNMAP, EXO_MAP, EXO_PROTECT };

	for (; !over; peer->word[ROUNDS]++) {
		uint64_t pages = 1 + below(peer, 3), at = below(peer, PAGES + 1 - pages);
		unsigned prot = below(peer, 2) ? GUEST_RW : EXO_R_READ;
		int64_t result = change(peer, ops[below(peer, ARRAY_LEN(ops))],
					FIRST + at * EXO_PAGE_SIZE, pages, prot);

		peer->word[MISTAKES] += !is_explained(result);
	}
}

/* A peer that runs `start` on CPU i by turns, with four frames of `f` and the test's space. */
static bool begin(struct peer *peer, unsigned i, peer_main *start, struct guest_frames *f)
{
	uint32_t cpus = exos_machine()->cpus;

	if (!expect_eq(guest_frames_make(f, FRAMES), 0) || !expect_eq(peer_make(peer), 0) ||
	    !expect_eq(peer_slots(peer, i % cpus, 2 * (i / cpus), 2), 0))
		return false;
	peer->word[SEED] = 0x9e3779b97f4a7c15 + i;
	peer->word[CLAIM] = (uint64_t)peer_give(peer, 0, f->slot, GUEST_RW);
	peer->word[PFN] = f->lo;
	peer->word[SPACE] = (uint64_t)peer_give(peer, 1, guest_claim("space"), EXO_R_CONTROL);
	return expect_eq(peer_start(peer, start, 0), 0);
}

/* It ended by itself and saw nothing wrong. */
static void end_well(struct peer *peer)
{
	expect(peer_wait(peer, 20000));
	expect_eq(peer->page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer->word[MISTAKES], 0);
	expect(peer->word[ROUNDS] > 20);
	expect_eq(peer->page->faults, 0);
}

/* Entries that are there, and map counts of these frames, agree. */
static void counts_agree(const struct guest_frames *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (uint64_t pfn = f[i].lo; pfn < f[i].hi; pfn++) {
			uint64_t found = 0;

			for (unsigned page = 0; page < PAGES; page++) {
				uint64_t entry = entry_of(FIRST + page * EXO_PAGE_SIZE);

				found += (entry & 1) && (entry >> 12 & 0xffffffffff) == pfn;
			}
			expect_eq(guest_maps(pfn), found);
		}
}

EXO_TEST(mappings_of_all_are_changed_by_all, SMP)
{
	static struct peer peers[PEERS];
	static struct guest_frames f[PEERS];
	uint64_t end = exos_deadline(3 * SECOND);

	over = 0;
	must_eq(exos_space_prepare(&exos_space_own, FIRST, PAGES), 0);
	for (unsigned i = 0; i < PEERS; i++)
		must(begin(&peers[i], i, change_any, &f[i]));
	while (exos_tsc() < end)
		exos_sleep(SECOND / 20);
	over = 1;
	for (unsigned i = 0; i < PEERS; i++)
		end_well(&peers[i]);
	counts_agree(f, PEERS);
	for (unsigned i = 0; i < PEERS; i++) {
		peer_end(&peers[i]);
		guest_frames_end(&f[i]);
	}
	for (unsigned page = 0; page < PAGES; page++)
		expect_eq(entry_of(FIRST + page * EXO_PAGE_SIZE) & 1, 0);
}

EXO_TEST(claims_end_while_what_they_mapped_is_changed, SMP)
{
	static struct peer peers[2];
	static struct guest_frames f[2];

	over = 0;
	must_eq(exos_space_prepare(&exos_space_own, FIRST, PAGES), 0);
	for (unsigned i = 0; i < 2; i++)
		must(begin(&peers[i], i + 1, change_any, &f[i]));
	for (unsigned round = 0; round < 300; round++) {
		unsigned i = round % 2;

		exos_sleep(SECOND / 1000);
		expect_eq(exos_cap_revoke(f[i].slot), 0);
		for (uint64_t pfn = f[i].lo; pfn < f[i].hi; pfn++)
			must_eq(guest_maps(pfn), 0);
		peers[i].word[CLAIM] = (uint64_t)peer_give(&peers[i], 0, f[i].slot, GUEST_RW);
		must((int64_t)peers[i].word[CLAIM] > 0);
	}
	over = 1;
	for (unsigned i = 0; i < 2; i++)
		end_well(&peers[i]);
	counts_agree(f, 2);
	for (unsigned i = 0; i < 2; i++) {
		peer_end(&peers[i]);
		guest_frames_end(&f[i]);
	}
}

/* Ask for more rights than the second of two claims has, whichever has the page just now. */
static void ask_for_more(struct peer *peer)
{
	for (; !over; peer->word[ROUNDS]++) {
		int64_t result = change(peer, EXO_PROTECT, VA, 1, GUEST_RW);

		peer->word[MISTAKES] += !is_explained(result);
	}
}

/* Map a page by this claim, look for a while whether it can be written, and unmap it. */
static bool shown_writable(exo_slot claim, uint64_t pfn, unsigned prot)
{
	uint64_t seen = 0;

	if (!expect_eq(exos_space_map(&exos_space_own, VA, claim, pfn, 1, prot), 0))
		return true;
	for (unsigned i = 0; i < 20; i++)
		seen |= entry_of(VA);
	expect_eq(exos_space_unmap(&exos_space_own, VA, 1), 0);
	return seen & 2;
}

EXO_TEST(rights_do_not_grow_while_a_page_changes_hands, SMP)
{
	static struct peer peer;
	static struct guest_frames f, others;
	uint64_t end = exos_deadline(3 * SECOND), rounds = 0, writable = 0;
	exo_slot less;

	over = 0;
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	must(begin(&peer, exos_page()->cpu + 1, ask_for_more, &others));
	must_eq(guest_frames_make(&f, 2), 0);
	less = guest_narrow(f.slot, f.lo, f.lo + 1, EXO_R_READ | EXO_SHARE);
	must(less);
	for (; exos_tsc() < end; rounds++) {
		writable += shown_writable(f.slot, f.lo + 1, EXO_R_READ);
		if (shown_writable(less, f.lo, EXO_R_READ))
			return guest_fail("a page that may only be read can be written");
	}
	over = 1;
	end_well(&peer);
	expect(rounds > 100 && writable > 0);
	peer_end(&peer);
	exos_cap_drop(less);
	guest_frames_end(&f);
	guest_frames_end(&others);
}
