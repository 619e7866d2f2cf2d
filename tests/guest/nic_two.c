/* SPDX-License-Identifier: MIT */
/*
 * nic_two.c - two network cards, each given whole to one of two environments.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/start.h>
#include "nic.h"
#include "peer.h"

static struct ring theirs;
static uint8_t request[ARP_BYTES];
static const struct exo_nic_spec everything;

/* Ask on the peer's own card until told to end; word 0: its rings, 1: end, 2: requests. */
static void ask_main(struct peer *p)
{
	const struct exo_tx part = { .at = 60000, .bytes = ARP_BYTES };
	uint32_t tail = theirs.page->tx_tail;

	while (!__atomic_load_n(&p->word[1], __ATOMIC_ACQUIRE)) {
		if (tail - __atomic_load_n(&theirs.page->tx_done, __ATOMIC_ACQUIRE) < EXO_PACKETS) {
			theirs.tx[tail % EXO_PACKETS] = part;
			__atomic_store_n(&theirs.page->tx_tail, ++tail, __ATOMIC_RELEASE);
			p->word[2]++;
		}
		exo_nic_kick(p->word[0]);
		exo_env_yield(0);
	}
}

EXO_TEST(nic_two_cards_are_two_owners_own, NIC)
{
	const struct exos_grant *first = exos_grant("nic", 0), *second = exos_grant("nic", 1);
	struct guest_frames f;
	exo_slot filter, whole;
	struct peer peer;
	struct ring r;
	int64_t name;

	if (!second)
		guest_skip("there is only one NIC");
	expect(first->unit != second->unit);
	must_eq(peer_make(&peer), 0);
	/* The first card, all of it: to the peer, whose rings the test has mapped for it. */
	name = peer_give(&peer, 3, first->slot, EXO_R_READ | EXO_R_WRITE);
	must(name > 0);
	must_eq(guest_frames_make(&f, 1), 0);
	must((filter = guest_retype(f.slot, f.lo, EXO_KIND_FILTER, 0)) != 0);
	expect_error(exo_nic_narrow(first->slot, guest_sid(), filter, (uintptr_t)&everything,
				    EXO_R_READ),
		     SPLIT);
	expect_error(exo_cap_narrow(first->slot, guest_sid(), 0, 0, EXO_R_READ), SPLIT);
	/* The claim given on can still send, as long as it is there. */
	must_eq(ring_open(&theirs, first->slot), 0);
	arp_request(request, 31);
	memcpy(theirs.data + 60000, request, ARP_BYTES);
	must((name = peer_give(&peer, 4, theirs.ring, EXO_R_CONTROL)) > 0);
	peer.word[0] = (uint64_t)name;
	must_eq(peer_slots(&peer, 0, 0, 8), 0);
	whole = second->slot;
	must_eq(ring_open(&r, whole), 0);
	must_eq(peer_start(&peer, ask_main, 0), 0);
	for (unsigned i = 0; i < 50 || (peer.word[2] < 100 && i < 5000); i++)
		must(arp_works(&r, 32));
	peer.word[1] = 1;
	expect(peer_wait(&peer, 5000));
	expect(peer.word[2] >= 100);
	expect_eq(theirs.page->refused, 0);
	expect_eq(r.page->refused, 0);
	expect_eq(r.page->dropped, 0);
	/* What came in on the first card is the peer's, who bound no rings to receive it. */
	expect_eq(theirs.page->received, 0);
	peer_end(&peer);
	ring_close(&r);
	/* With the peer its claim ended: the card is the giver's again. */
	must(arp_works(&theirs, 31));
	ring_close(&theirs);
}
