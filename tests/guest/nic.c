/* SPDX-License-Identifier: MIT */
/*
 * nic.c - sending and receiving through packet rings: who gets what, in how many calls and events.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "nic.h"
#include "peer.h"

EXO_TEST(nic_is_described, NIC)
{
	const struct exo_nic_info *info = nic_info();
	uint8_t any = 0;

	for (unsigned i = 0; i < 6; i++)
		any |= info->mac[i];
	expect(any && !(info->mac[0] & 1));
	expect(info->bytes_max >= 1514 && info->bytes_max <= EXO_PACKET_BYTES);
	expect(info->flags & EXO_NIC_LINK);
	expect(info->queues >= 1);
}

EXO_TEST(nic_a_request_is_answered, NIC)
{
	struct ring r;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 15)) != 0);
	must_eq(ring_open(&r, claim), 0);
	for (unsigned i = 0; i < 20; i++)
		must(arp_works(&r, 15));
	expect_eq(r.page->sent, 20);
	expect_eq(r.page->received, 20);
	expect_eq(r.page->refused, 0);
	expect_eq(r.page->dropped, 0);
	ring_close(&r);
}

/* Where the card joins nothing, rings that take joined packets are as all others. */
EXO_TEST(nic_a_ring_that_takes_joined_packets_gets_others, NIC)
{
	const struct exo_rx *e;
	uint8_t packet[ARP_BYTES];
	const uint8_t *p;
	struct ring r, other;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 23)) != 0);
	must_eq(ring_make(&r), 0);
	r.page->rx_joined = ~0u;
	must_eq(exo_nic_bind(r.ring, claim, r.entry), 0);
	must_eq(ring_open(&other, claim), 0);
	expect(!(nic_info()->flags & EXO_NIC_JOINS));
	arp_request(packet, 23);
	ring_packet(&r, packet, ARP_BYTES);
	must(ring_done(&r, 3000));
	must((p = ring_receive(&r, &e, 3000)) != NULL);
	expect(arp_is_answer(p, e->bytes, 23));
	expect(e->bytes == e->length && !(e->flags & EXO_RX_MORE) && !e->segment);
	other.page->rx_joined = 1;              /* too late */
	expect(!(nic_info()->flags & EXO_NIC_JOINS));
	ring_close(&other);
	expect_eq(!(nic_info()->flags & EXO_NIC_JOINS), !(nic_info()->flags & EXO_NIC_JOIN));
	ring_close(&r);
	expect(!(nic_info()->flags & EXO_NIC_JOINS));
}

/* 20 parts, from the data area and lent, of odd lengths. */
EXO_TEST(nic_packets_are_gathered_from_parts, NIC)
{
	uint8_t packet[ARP_BYTES], *lent;
	const struct exo_rx *e;
	struct guest_frames f;
	const uint8_t *p;
	struct ring r;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 16)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(guest_frames_make(&f, 2), 0);
	must((lent = exos_space_window(f.slot, f.lo, 2, GUEST_RW, NULL)) != NULL);
	arp_request(packet, 16);
	memcpy(lent + EXO_PAGE_SIZE - 30, packet, ARP_BYTES);
	memcpy(r.data + 60000, packet, ARP_BYTES);
	for (unsigned i = 0; i < 20; i++) {
		uint16_t more = i < 19 ? EXO_TX_MORE : 0;

		if (i % 2)
			ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE + EXO_PAGE_SIZE - 30 + 3 * i, 3,
				  more);
		else
			ring_part(&r, 0, 60000 + 3 * i, 3, more);
	}
	expect(ring_done(&r, 3000));
	p = ring_receive(&r, &e, 3000);
	expect(p && arp_is_answer(p, e->bytes, 16));
	expect_eq(r.page->refused, 0);
	expect_eq(guest_frame(f.lo)->pins, 0);
	expect_eq(guest_frame(f.lo + 1)->pins, 0);
	exos_space_window_end(lent, 2);
	ring_close(&r);
}

/* A batch of requests is one call and told to the device once; no event if none is wanted. */
EXO_TEST(nic_a_batch_is_one_call, NIC)
{
	uint64_t deadline, rounds;
	uint8_t packet[ARP_BYTES];
	struct ring r;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 17)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must(arp_works(&r, 17));
	exos_event_take(r.entry);
	r.page->rx_quiet = 1;
	rounds = r.page->rounds;
	arp_request(packet, 17);
	for (unsigned i = 0; i < 12; i++)
		ring_packet(&r, packet, ARP_BYTES);
	expect_eq(ring_kick(&r), 12);
	expect_eq(r.page->tx_taken, r.page->tx_tail);
	expect_eq(r.page->rounds, rounds + 1);
	deadline = exos_deadline(3000000000);
	while (__atomic_load_n(&r.page->rx_done, __ATOMIC_ACQUIRE) - r.seen < 12 &&
	       exos_tsc() < deadline)
		;
	expect_eq(r.page->rx_done - r.seen, 12);
	/* Done without an event, and without another call. */
	while (__atomic_load_n(&r.page->tx_done, __ATOMIC_ACQUIRE) != r.page->tx_tail &&
	       exos_tsc() < deadline)
		;
	expect_eq(r.page->tx_done, r.page->tx_tail);
	expect_eq(exos_event_pending(r.entry), 0);
	ring_close(&r);
}

/* 2,000 requests, 12 at a time, each answered. */
EXO_TEST(nic_thousands_of_packets_come_and_go, NIC)
{
	uint32_t sent = 0, got = 0;
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;
	struct ring r;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 18)) != 0);
	must_eq(ring_open(&r, claim), 0);
	arp_request(packet, 18);
	while (got < 2000) {
		const uint8_t *p;

		for (; sent < 2000 && sent - got < 12; sent++)
			ring_packet(&r, packet, ARP_BYTES);
		must(ring_kick(&r) >= 0);
		must((p = ring_receive(&r, &e, 5000)) != NULL);
		must(arp_is_answer(p, e->bytes, 18));
		ring_repost(&r);
		got++;
	}
	expect_eq(r.page->sent, 2000);
	expect_eq(r.page->received, 2000);
	expect_eq(r.page->dropped, 0);
	ring_close(&r);
}

/* 40 claims, each with rings: each gets its own answer and no other. */
EXO_TEST(nic_many_rings_get_their_own, NIC)
{
	enum { MANY = 40 };
	static struct ring r[MANY];
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;

	for (unsigned i = 0; i < MANY; i++) {
		exo_slot claim = nic_arp_claim(guest_claim("nic"), (uint8_t)(100 + i));

		must(claim != 0);
		must_eq(ring_open(&r[i], claim), 0);
	}
	for (unsigned i = 0; i < MANY; i++) {
		arp_request(packet, (uint8_t)(100 + i));
		ring_packet(&r[i], packet, ARP_BYTES);
		expect_eq(ring_kick(&r[i]), 1);
	}
	for (unsigned i = MANY; i--;) {
		const uint8_t *p = ring_receive(&r[i], &e, 3000);

		must(p && arp_is_answer(p, e->bytes, (uint8_t)(100 + i)));
		expect_eq(r[i].page->received, 1);
	}
	for (unsigned i = 0; i < MANY; i++)
		ring_close(&r[i]);
}

/* A second ring of the same claim gets packets when the first has no buffer posted. */
EXO_TEST(nic_rings_of_one_claim_are_filled_in_order, NIC)
{
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;
	struct ring a, b;
	const uint8_t *p;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 19)) != 0);
	must_eq(ring_open(&a, claim), 0);
	must_eq(ring_open(&b, claim), 0);
	arp_request(packet, 19);
	for (unsigned i = 0; i < RING_BUFFERS + 3; i++) {
		ring_packet(&b, packet, ARP_BYTES);
		must(ring_done(&b, 3000));
		p = ring_receive(i < RING_BUFFERS ? &a : &b, &e, 3000);
		must(p && arp_is_answer(p, e->bytes, 19));
	}
	expect_eq(a.page->received, RING_BUFFERS);
	expect_eq(b.page->received, 3);
	ring_close(&a);
	ring_close(&b);
}

/* A share on the whole NIC sees the request and the answer; both still reach their goals. */
EXO_TEST(nic_shares_see_what_is_sent_and_received, NIC)
{
	static struct exo_nic_spec all;
	exo_slot nic = guest_claim("nic"), claim, filter;
	const struct exo_rx *e;
	struct guest_frames f;
	struct ring r, s;
	const uint8_t *p;
	int64_t share;

	must_eq(guest_frames_make(&f, EXO_FRAMES_FILTER), 0);
	must((filter = guest_retype(f.slot, f.lo, EXO_KIND_FILTER, 0)) != 0);
	share = exo_nic_narrow(nic, guest_sid(), filter, (uintptr_t)&all, GUEST_RW | EXO_SHARE);
	must(share > 0);
	must((claim = nic_arp_claim(nic, 20)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(ring_open(&s, (exo_slot)share), 0);
	expect(arp_works(&r, 20));
	must((p = ring_receive(&s, &e, 3000)) != NULL);
	expect_eq(e->flags & (EXO_RX_COPY | EXO_RX_SENT), EXO_RX_COPY | EXO_RX_SENT);
	expect(e->bytes == ARP_BYTES && p[21] == 1 && p[31] == 20);
	must((p = ring_receive(&s, &e, 3000)) != NULL);
	expect_eq(e->flags & (EXO_RX_COPY | EXO_RX_SENT), EXO_RX_COPY);
	expect(arp_is_answer(p, e->bytes, 20));
	/* It does not send. */
	ring_packet(&s, p, ARP_BYTES);
	expect(ring_done(&s, 3000));
	expect_eq(s.page->error, -EXO_E_RIGHTS);
	expect_eq(s.page->sent, 0);
	ring_close(&r);
	ring_close(&s);
}

/* Send packets until word[1] says stop: word[0] is the name of the rings; all the room there is. */
static struct ring flood_ring;
static uint8_t flood_packet[ARP_BYTES];
static void flood_main(struct peer *p)
{
	while (!__atomic_load_n(&p->word[1], __ATOMIC_ACQUIRE)) {
		struct exo_packets_page *page = flood_ring.page;

		while (page->tx_tail - __atomic_load_n(&page->tx_done, __ATOMIC_ACQUIRE) <
		       EXO_PACKETS) {
			flood_ring.tx[page->tx_tail % EXO_PACKETS] = (struct exo_tx){
				.at = 60000, .bytes = ARP_BYTES };
			__atomic_store_n(&page->tx_tail, page->tx_tail + 1, __ATOMIC_RELEASE);
		}
		exo_nic_kick(p->word[0]);
		p->word[2]++;
	}
}

EXO_TEST(nic_a_flood_leaves_others_their_turn, NIC)
{
	exo_slot nic = guest_claim("nic"), noisy, quiet;
	struct peer peer;
	struct ring r;
	int64_t name;

	must((noisy = nic_arp_claim(nic, 21)) != 0);
	must((quiet = nic_arp_claim(nic, 22)) != 0);
	must_eq(ring_open(&flood_ring, noisy), 0);
	must_eq(ring_open(&r, quiet), 0);
	arp_request(flood_packet, 21);
	flood_packet[41] = 200;         /* nobody: answers to a flood would get lost outside */
	memcpy(flood_ring.data + 60000, flood_packet, ARP_BYTES);
	must_eq(peer_make(&peer), 0);
	must((name = peer_give(&peer, 3, flood_ring.ring, EXO_R_CONTROL)) > 0);
	peer.word[0] = (uint64_t)name;
	must_eq(peer_slots(&peer, 0, 0, 8), 0);
	must_eq(peer_start(&peer, flood_main, 0), 0);
	for (unsigned i = 0; i < 50 || (flood_ring.page->sent < 2000 && i < 5000); i++)
		must(arp_works(&r, 22));
	peer.word[1] = 1;
	expect(peer_wait(&peer, 5000));
	expect(flood_ring.page->sent >= 2000);
	expect_eq(r.page->dropped, 0);
	peer_end(&peer);
	ring_close(&r);
	ring_close(&flood_ring);
}
