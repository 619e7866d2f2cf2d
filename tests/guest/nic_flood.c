/* SPDX-License-Identifier: MIT */
/*
 * nic_flood.c - many small packets of one ring beside large ones of another.
 */
#include <base/string.h>
#include <exos/console.h>
#include <exos/time.h>
#include "nic.h"

#define HOST_TINY  70u
#define HOST_LARGE 71u
#define LARGE      1514u
#define SHARE_MS   400u

/* Fill the send ring with copies of the packet at the start of its second half, and kick. */
static void flood(struct ring *r, uint32_t bytes)
{
	while (r->page->tx_tail - __atomic_load_n(&r->page->tx_done, __ATOMIC_ACQUIRE) < 240)
		ring_part(r, 0, RING_DATA * EXO_PAGE_SIZE / 2, bytes, 0);
	expect(ring_kick(r) >= 0);
}

EXO_TEST(nic_a_flood_of_tiny_packets_leaves_others_their_share, NIC)
{
	static uint8_t packet[LARGE];
	exo_slot nic = guest_claim("nic"), claim[2];
	uint64_t deadline, sent[2];
	struct ring tiny, large;

	must((claim[0] = nic_arp_claim(nic, HOST_TINY)) != 0);
	must((claim[1] = nic_arp_claim(nic, HOST_LARGE)) != 0);
	must_eq(ring_open(&tiny, claim[0]), 0);
	must_eq(ring_open(&large, claim[1]), 0);
	arp_request(packet, HOST_TINY);
	memcpy(tiny.data + RING_DATA * EXO_PAGE_SIZE / 2, packet, ARP_BYTES);
	arp_request(packet, HOST_LARGE);
	memcpy(large.data + RING_DATA * EXO_PAGE_SIZE / 2, packet, LARGE);
	/* The flood is there first. */
	flood(&tiny, ARP_BYTES);
	sent[0] = tiny.page->sent;
	deadline = exos_deadline(SHARE_MS * 1000000ull);
	while (exos_tsc() < deadline) {
		flood(&tiny, ARP_BYTES);
		flood(&large, LARGE);
	}
	sent[0] = tiny.page->sent - sent[0];
	sent[1] = large.page->sent;
	printf("nic: %lu tiny packets beside %lu large ones\n", sent[0], sent[1]);
	expect(sent[0] > 100);
	/* Half of the packets, of which four fifths. */
	expect(sent[1] * 10 >= (sent[0] + sent[1]) * 4);
	expect_eq(large.page->refused, 0);
	expect(ring_done(&tiny, 5000));
	expect(ring_done(&large, 5000));
	ring_close(&tiny);
	ring_close(&large);
}
