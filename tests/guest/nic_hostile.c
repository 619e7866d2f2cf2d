/* SPDX-License-Identifier: MIT */
/*
 * nic_hostile.c - rings that lie, packets of others, and what ends while the device has it.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "nic.h"
#include "peer.h"

/* Send one packet that must be refused with this error, then one that must not. */
static void refused(struct ring *r, uint8_t host, int32_t error, const char *what)
{
	uint64_t before = r->page->refused;

	r->page->error = 0;
	if (!ring_done(r, 3000))
		guest_fail("%s: never done", what);
	if (r->page->refused != before + 1 || r->page->error != -error)
		guest_fail("%s: %lu refused, error %d", what,
			   (unsigned long)(r->page->refused - before), r->page->error);
	if (!arp_works(r, host))
		guest_fail("%s: the ring does not work behind it", what);
}

EXO_TEST(nic_packets_that_lie_are_refused, NIC)
{
	uint64_t data = RING_DATA * EXO_PAGE_SIZE;
	uint8_t packet[ARP_BYTES];
	struct guest_frames f;
	exo_slot claim, child;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 30)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(guest_frames_make(&f, 4), 0);
	must((child = guest_narrow(f.slot, f.lo + 2, f.lo + 3, EXO_R_WRITE)) != 0);
	arp_request(packet, 30);
#define REFUSED(error) refused(&r, 30, EXO_E_##error, #error)
	ring_packet(&r, packet, ARP_BYTES)->bytes = 0; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->bytes = 0xffffffff; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->bytes = nic_info()->bytes_max + 1u; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->at = data; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->at = data - ARP_BYTES + 1; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->at = ~0ull - 10; REFUSED(RANGE);
	ring_packet(&r, packet, ARP_BYTES)->flags = 0x4000; REFUSED(ARG);
	ring_part(&r, 99, 0, 60, 0); REFUSED(STALE);
	ring_part(&r, r.ring, 0, 60, 0); REFUSED(KIND);
	ring_part(&r, child, (f.lo + 2) * EXO_PAGE_SIZE, 60, 0); REFUSED(RIGHTS);
	ring_part(&r, f.slot, (f.lo + 2) * EXO_PAGE_SIZE, 60, 0); REFUSED(SPLIT);
	ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE - 1, 60, 0); REFUSED(RANGE);
	ring_part(&r, f.slot, f.hi * EXO_PAGE_SIZE - 59, 60, 0); REFUSED(RANGE);
	ring_part(&r, f.slot, ~0ull - 30, 60, 0); REFUSED(RANGE);
	ring_part(&r, r.frames.slot, r.frames.lo * EXO_PAGE_SIZE, 60, 0); REFUSED(SPLIT);
	for (unsigned i = 0; i < 21; i++)
		ring_part(&r, 0, i, 3, i < 20 ? EXO_TX_MORE : 0);
	REFUSED(ARG);
	for (unsigned i = 0; i < 6; i++) {      /* each byte of another's station address */
		ring_packet(&r, packet, ARP_BYTES);
		r.data[r.tx[(r.page->tx_tail - 1) % EXO_PACKETS].at + 6 + i] ^= 1;
		REFUSED(RIGHTS);
	}
	ring_packet(&r, packet, 12); REFUSED(RIGHTS);   /* too short for the type it must have */
	ring_close(&r);
}

/* Bytes that were compared are not the device's to change; what it cannot do is refused. */
EXO_TEST(nic_checksums_stay_off_what_is_named, NIC)
{
	bool able = nic_info()->flags & EXO_NIC_CHECKSUM;
	uint8_t packet[ARP_BYTES];
	struct exo_tx *t;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 31)) != 0);
	must_eq(ring_open(&r, claim), 0);
	arp_request(packet, 31);
	t = ring_packet(&r, packet, ARP_BYTES);
	t->flags = EXO_TX_CHECKSUM;
	t->checksum_start = 4;
	t->checksum_offset = 7;
	refused(&r, 31, able ? EXO_E_RIGHTS : EXO_E_ABSENT, "checksum over the station address");
	t = ring_packet(&r, packet, ARP_BYTES);
	t->flags = EXO_TX_CHECKSUM;
	t->checksum_start = ARP_BYTES;
	refused(&r, 31, able ? EXO_E_RANGE : EXO_E_ABSENT, "checksum behind the packet");
	t = ring_packet(&r, packet, ARP_BYTES);
	t->flags = EXO_TX_SEGMENT4;
	refused(&r, 31, EXO_E_ARG, "segments without checksum");
	ring_close(&r);
}

EXO_TEST(nic_indices_that_jump_harm_only_the_ring, NIC)
{
	static const uint32_t jumps[] = { 257, 1000, 0x80000000, 0xffffffff, 0x7fffffff };
	exo_slot nic = guest_claim("nic"), claim, other_claim;
	struct ring r, other;

	must((claim = nic_arp_claim(nic, 32)) != 0);
	must((other_claim = nic_arp_claim(nic, 33)) != 0);
	must_eq(ring_open(&other, other_claim), 0);
	must_eq(ring_open(&r, claim), 0);
	for (unsigned i = 0; i < ARRAY_LEN(jumps); i++) {
		uint32_t tail = r.page->tx_tail, posted = r.page->rx_posted;

		r.page->tx_tail += jumps[i];
		expect_error(ring_kick(&r), RANGE);
		r.page->tx_tail = tail;
		r.page->rx_posted = posted + jumps[i];
		r.page->tx_taken = jumps[i] * 3;
		r.page->rx_done = ~jumps[i];
		r.page->tx_done = jumps[i] * 5;
		expect_eq(ring_kick(&r), 0);
		expect(arp_works(&other, 33));
		r.page->rx_posted = posted;
		r.page->tx_done = r.page->tx_taken = tail;
		r.page->rx_done = r.seen;
		expect(arp_works(&r, 32));
	}
	ring_close(&r);
	ring_close(&other);
}

/* Buffers outside the data area get nothing; the next one does. */
EXO_TEST(nic_buffers_outside_the_data_area_stay_empty, NIC)
{
	static const uint32_t lies[] = { RING_DATA * 4096, RING_DATA * 4096 - 2047, 0xffffffff,
	                                 0x80000000, 0xfffff800 };
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;
	struct ring r;
	exo_slot claim;

	must((claim = nic_arp_claim(guest_claim("nic"), 34)) != 0);
	must_eq(ring_open(&r, claim), 0);
	arp_request(packet, 34);
	for (unsigned i = 0; i < ARRAY_LEN(lies); i++) {
		uint32_t at = r.rx[r.seen % EXO_PACKETS].offset;

		r.rx[r.seen % EXO_PACKETS].offset = lies[i];
		ring_packet(&r, packet, ARP_BYTES);
		must(ring_done(&r, 3000));
		must(ring_receive(&r, &e, 3000) != NULL);
		expect_eq(e->bytes, 0);
		expect(e->length >= 42);
		r.rx[(r.seen - 1) % EXO_PACKETS].offset = at;
		ring_repost(&r);
		expect(arp_works(&r, 34));
	}
	expect_eq(r.page->dropped, ARRAY_LEN(lies));
	ring_close(&r);
}

EXO_TEST(nic_bindings_are_checked, NIC)
{
	exo_slot nic = guest_claim("nic"), claim, weak;
	uint32_t entry = exos_event_alloc();
	struct ring r;

	must((claim = nic_arp_claim(nic, 35)) != 0);
	must_eq(ring_open(&r, claim), 0);
	expect_error(exo_nic_bind(r.ring, claim, entry), BUSY);
	expect_error(exo_nic_bind(claim, claim, entry), KIND);
	expect_error(exo_nic_bind(r.ring, r.ring, entry), KIND);
	expect_error(exo_nic_bind(r.ring, 99, entry), STALE);
	expect_error(exo_nic_bind(r.ring, claim, 0), RANGE);
	expect_error(exo_nic_bind(r.ring, claim, EXO_EVENTS), RANGE);
	must((weak = guest_narrow(r.ring, 0, 0, EXO_R_MAP)) != 0);
	expect_error(exo_nic_bind(weak, claim, entry), RIGHTS);
	expect_error(exo_nic_kick(weak), RIGHTS);
	expect_error(exo_nic_kick(claim), KIND);
	expect(arp_works(&r, 35));
	/* The claim goes: the rings stay, and can be bound anew. */
	expect_eq(exos_cap_drop(claim), 0);
	expect_error(ring_kick(&r), ARG);
	must((claim = nic_arp_claim(nic, 36)) != 0);
	expect_eq(exo_nic_bind(r.ring, claim, r.entry), 0);
	expect(arp_works(&r, 36));
	ring_close(&r);
}

/* Lent frames are taken back, and rings end, with packets on the way: nothing stays pinned. */
EXO_TEST(nic_what_ends_in_flight_ends_well, NIC)
{
	exo_slot nic = guest_claim("nic"), claim;
	uint8_t packet[ARP_BYTES], *lent;

	must((claim = nic_arp_claim(nic, 37)) != 0);
	arp_request(packet, 37);
	for (unsigned round = 0; round < 20; round++) {
		struct guest_frames f;
		struct ring r;

		must_eq(ring_open(&r, claim), 0);
		must_eq(guest_frames_make(&f, 1), 0);
		must((lent = exos_space_window(f.slot, f.lo, 1, GUEST_RW, NULL)) != NULL);
		memcpy(lent, packet, ARP_BYTES);
		exos_space_window_end(lent, 1);
		for (unsigned i = 0; i < 200; i++)
			ring_part(&r, i % 3 ? f.slot : 0,
			          i % 3 ? f.lo * EXO_PAGE_SIZE : 60000, ARP_BYTES, 0);
		expect_eq(ring_kick(&r), 200);
		if (round % 2) {
			guest_frames_end(&f);   /* waits for the pins */
			expect_eq(guest_frame(f.lo)->pins, 0);
		}
		ring_close(&r);
		if (!(round % 2))
			guest_frames_end(&f);
		exos_slot_sweep();
	}
}

/* Another environment writes rubbish into the descriptors while we kick. */
static struct ring torn;
static void tear_main(struct peer *p)
{
	uint64_t x = 88172645463325252ull;

	while (!__atomic_load_n(&p->word[1], __ATOMIC_ACQUIRE)) {
		uint64_t *words = (uint64_t *)torn.tx;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[x % (EXO_PACKETS * sizeof(struct exo_tx) / 8)] =
			x & 1 ? p->word[0] : x >> (x >> 58);
	}
}

EXO_TEST(nic_descriptors_changed_by_another_harm_nobody, NIC)
{
	exo_slot nic = guest_claim("nic"), claim, other_claim;
	struct guest_frames f;
	struct ring other;
	struct peer peer;

	must((claim = nic_arp_claim(nic, 38)) != 0);
	must((other_claim = nic_arp_claim(nic, 39)) != 0);
	must_eq(guest_frames_make(&f, 4), 0);
	must_eq(ring_open(&torn, claim), 0);
	must_eq(ring_open(&other, other_claim), 0);
	must_eq(peer_make(&peer), 0);
	peer.word[0] = f.slot;
	must_eq(peer_slots(&peer, 0, 0, 8), 0);
	must_eq(peer_start(&peer, tear_main, 0), 0);
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t room = EXO_PACKETS - (torn.page->tx_tail - torn.page->tx_done);

		if (room) {
			torn.tx[torn.page->tx_tail % EXO_PACKETS] = (struct exo_tx){
				.slot = i % 2 ? f.slot : 0, .at = i % 2 ? f.lo * EXO_PAGE_SIZE : i,
				.bytes = 60 };
			__atomic_store_n(&torn.page->tx_tail, torn.page->tx_tail + 1 + i % room,
			                 __ATOMIC_RELEASE);
		}
		expect(ring_kick(&torn) >= 0);
		if (i % 300 == 0)
			expect(arp_works(&other, 39));
	}
	peer.word[1] = 1;
	expect(peer_wait(&peer, 5000));
	peer_end(&peer);
	ring_close(&torn);
	for (uint64_t pfn = f.lo; pfn < f.hi; pfn++)
		expect_eq(guest_frame(pfn)->pins, 0);
	expect(arp_works(&other, 39));
	ring_close(&other);
}
