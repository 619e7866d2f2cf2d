/* SPDX-License-Identifier: MIT */
/*
 * nic_ends.c - NIC claims, filters and tables that end in pieces, with others ending in between.
 *
 * A call that answers EXO_MORE leaves the kernel in a state that other programs can use: whatever
 * they do then, no claim may name a filter that is gone.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/slot.h>
#include <exos/space.h>
#include "nic.h"
#include "peer.h"

static struct exo_nic_spec spec;

/*
 * A claim on what has this value in this byte, both ways; its filter, *filter, is frame n of f.  0:
 * a noted failure.
 */
static exo_slot narrow_byte(exo_slot nic, unsigned at, unsigned value, uint32_t rights,
                            const struct guest_frames *f, unsigned n, exo_slot *filter)
{
	int64_t name;

	memset(&spec, 0, sizeof(spec));
	((uint8_t *)spec.receive.mask)[at] = ((uint8_t *)spec.send.mask)[at] = 0xff;
	((uint8_t *)spec.receive.value)[at] = ((uint8_t *)spec.send.value)[at] = (uint8_t)value;
	*filter = guest_retype(f->slot, f->lo + n, EXO_KIND_FILTER, 0);
	name = exo_nic_narrow(nic, guest_sid(), *filter, (uintptr_t)&spec, rights);
	if (name < 0)
		guest_fail("byte %u of value %u: %ld", at, value, (long)name);
	return name < 0 ? 0 : (exo_slot)name;
}

/* What a program may do with a frame that is its own again. */
static void frame_scribble(const struct guest_frames *f)
{
	uint8_t *frame = exos_space_window(f->slot, f->lo, 1, GUEST_RW, NULL);

	if (!expect(frame != NULL))
		return;
	memset(frame, 0x5a, EXO_PAGE_SIZE);
	exos_space_window_end(frame, 1);
}

/*
 * `top` is revoked; the piece ends while `middle` is, whose child `given` names the same filter,
 * frame 0 of f, and which has rings and shares.  Whoever has `given` drops it, and takes the frame
 * back.  True if the revocation took more than one piece.
 */
static bool revoke_between(struct ring *r, struct guest_frames *f, unsigned leaves, unsigned shares)
{
	exo_slot filter, other, top, middle;
	unsigned n = 1;
	int64_t given;
	bool more;

	top = narrow_byte(guest_claim("nic"), 60, 1, GUEST_RW, f, n++, &other);
	middle = narrow_byte(top, 61, 255, GUEST_RW, f, 0, &filter);
	for (unsigned i = 0; i < shares; i++)
		narrow_byte(middle, 62, i, EXO_R_READ | EXO_SHARE, f, n++, &other);
	expect_eq(exo_nic_bind(r->ring, middle, r->entry), 0);
	given = exo_cap_narrow(middle, guest_sid(), 0, 0, GUEST_RW);
	for (unsigned i = 0; i < leaves; i++)
		narrow_byte(top, 61, i, GUEST_RW, f, n++, &other);
	more = exo_cap_revoke(top) == EXO_MORE;
	if (given > 0 && exos_cap_look((exo_slot)given))
		expect_eq(exos_cap_drop((exo_slot)given), 0);
	expect_eq(exos_cap_drop(filter), 0);
	expect_eq(guest_use(f->lo), EXO_USE_MEMORY);
	if (exos_cap_look(middle))
		guest_fail("%u leaves, %u shares: the filter ended, its claim did not", leaves,
			   shares);
	frame_scribble(f);
	expect_eq(exos_cap_revoke(top), 0);
	expect_eq(exos_cap_end(top), 0);
	return more;
}

EXO_TEST(nic_no_claim_outlives_its_filter, NIC)
{
	exo_slot nic = guest_claim("nic"), claim;
	unsigned pieces = 0;
	struct ring r;

	must((claim = nic_arp_claim(nic, 55)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(exos_cap_end(claim), 0);
	for (unsigned leaves = 99; leaves < 112; leaves++) {
		for (unsigned shares = 3; shares < 9; shares++) {
			struct guest_frames f;

			must_eq(guest_frames_make(&f, 130), 0);
			pieces += revoke_between(&r, &f, leaves, shares);
			guest_frames_end(&f);
			exos_slot_sweep();
		}
	}
	expect(pieces > 20);
	must((claim = nic_arp_claim(nic, 55)) != 0);
	must_eq(exo_nic_bind(r.ring, claim, r.entry), 0);
	expect(arp_works(&r, 55));
	ring_close(&r);
}

/* Nothing comes for a request of this host. */
static bool arp_is_silent(struct ring *r, uint8_t host)
{
	uint8_t packet[ARP_BYTES];
	const struct exo_rx *e;

	arp_request(packet, host);
	ring_packet(r, packet, ARP_BYTES);
	return ring_done(r, 3000) && !ring_receive(r, &e, 200);
}

/* Who gave a claim away gets its packets again when the receiver's table ends. */
EXO_TEST(nic_a_claim_comes_back_from_a_table_that_ends, NIC)
{
	struct peer peer;
	exo_slot claim;
	struct ring r;
	int64_t name;

	must((claim = nic_arp_claim(guest_claim("nic"), 50)) != 0);
	must_eq(ring_open(&r, claim), 0);
	for (unsigned round = 0; round < 3; round++) {
		expect(arp_works(&r, 50));
		must_eq(peer_make(&peer), 0);
		must((name = peer_give(&peer, 3, claim, GUEST_RW)) > 0);
		expect_error(peer_give(&peer, 4, claim, GUEST_RW), SPLIT);
		expect(arp_is_silent(&r, 50));
		peer_end(&peer);
	}
	expect(arp_works(&r, 50));
	ring_close(&r);
}

/* The filter's frame is taken back while its claim is another's, with rings of both bound. */
EXO_TEST(nic_a_filter_taken_back_ends_what_was_given, NIC)
{
	exo_slot nic = guest_claim("nic"), filter, claim, again;
	struct guest_frames f;
	struct ring mine, given;
	int64_t name;

	must_eq(guest_frames_make(&f, 1), 0);
	must((claim = narrow_byte(nic, 60, 7, GUEST_RW, &f, 0, &filter)) != 0);
	must_eq(ring_open(&mine, claim), 0);
	name = exo_cap_narrow(claim, guest_sid(), 0, 0, GUEST_RW);
	must(name > 0);
	must_eq(ring_open(&given, (exo_slot)name), 0);
	for (unsigned i = 0; i < 100; i++) {
		memset(mine.data, 0, 61);
		memset(given.data, 0, 61);
		mine.data[60] = given.data[60] = 7;
		ring_part(&mine, 0, 0, 61, i % 3 ? 0 : EXO_TX_MORE);
		ring_part(&given, 0, 0, 61, i % 2 ? 0 : EXO_TX_MORE);
	}
	expect_eq(ring_kick(&mine), 100);
	expect_eq(ring_kick(&given), 100);
	expect_eq(exos_cap_revoke(f.slot), 0);
	expect(!exos_cap_look(claim) && !exos_cap_look((exo_slot)name) && !exos_cap_look(filter));
	expect_eq(guest_use(f.lo), EXO_USE_MEMORY);
	frame_scribble(&f);
	expect_error(ring_kick(&mine), ARG);
	expect_error(ring_kick(&given), ARG);
	expect_eq(mine.page->tx_done, mine.page->tx_tail);
	expect_eq(given.page->tx_done, given.page->tx_tail);
	/* The rings are as good as new. */
	must((again = nic_arp_claim(nic, 51)) != 0);
	expect_eq(exo_nic_bind(given.ring, again, given.entry), 0);
	expect(arp_works(&given, 51));
	ring_close(&given);
	ring_close(&mine);
}

/* Kick packets that are answered, as many as there is room for, until word[1] says stop. */
static struct ring busy;
static uint8_t busy_packet[ARP_BYTES];
static void busy_main(struct peer *p)
{
	while (!__atomic_load_n(&p->word[1], __ATOMIC_ACQUIRE)) {
		uint32_t done = __atomic_load_n(&busy.page->rx_done, __ATOMIC_ACQUIRE);

		while (busy.page->tx_tail - __atomic_load_n(&busy.page->tx_done, __ATOMIC_ACQUIRE) <
		       8) {
			busy.tx[busy.page->tx_tail % EXO_PACKETS] = (struct exo_tx){
				.at = 60000, .bytes = ARP_BYTES };
			__atomic_store_n(&busy.page->tx_tail, busy.page->tx_tail + 1,
			                 __ATOMIC_RELEASE);
		}
		exo_nic_kick(p->word[0]);
		for (; busy.seen != done; busy.seen++) {
			uint32_t n = busy.page->rx_posted;

			busy.rx[n % EXO_PACKETS].offset =
				busy.rx[busy.seen % EXO_PACKETS].offset;
			__atomic_store_n(&busy.page->rx_posted, n + 1, __ATOMIC_RELEASE);
		}
		p->word[2]++;
	}
}

/* Claims are given, narrowed and dropped while packets for them arrive. */
EXO_TEST(nic_holders_change_under_traffic, NIC)
{
	exo_slot nic = guest_claim("nic"), claim;
	struct peer peer;
	int64_t name;

	must((claim = nic_arp_claim(nic, 52)) != 0);
	must_eq(ring_open(&busy, claim), 0);
	busy.page->rx_quiet = 1;
	arp_request(busy_packet, 52);
	memcpy(busy.data + 60000, busy_packet, ARP_BYTES);
	must_eq(peer_make(&peer), 0);
	must((name = peer_give(&peer, 3, busy.ring, EXO_R_CONTROL)) > 0);
	peer.word[0] = (uint64_t)name;
	must_eq(peer_slots(&peer, 0, 0, 8), 0);
	must_eq(peer_start(&peer, busy_main, 0), 0);
	for (unsigned i = 0; i < 100 || (busy.page->sent < 500 && i < 2000); i++) {
		exo_slot filter, inner;
		struct guest_frames f;
		struct ring r;

		name = exo_cap_narrow(claim, guest_sid(), 0, 0, GUEST_RW);
		must(name > 0);
		must_eq(guest_frames_make(&f, 1), 0);
		inner = narrow_byte((exo_slot)name, 21, 2, GUEST_RW, &f, 0, &filter);
		must(inner != 0);
		must_eq(ring_open(&r, inner), 0);
		if (i % 3 == 0)
			guest_frames_end(&f);
		expect_eq(exos_cap_drop((exo_slot)name), 0);
		if (i % 3 == 1)
			expect_eq(exos_cap_drop(inner), 0);
		ring_close(&r);
		if (i % 3)
			guest_frames_end(&f);
		if (i % 10 == 0)
			guest_pause_ms(2);
	}
	for (unsigned i = 0; i < 300 && !busy.page->received; i++)
		guest_pause_ms(10);
	peer.word[1] = 1;
	expect(peer_wait(&peer, 5000));
	expect(busy.page->sent >= 500);
	expect(busy.page->received > 0);
	expect_eq(busy.page->refused, 0);
	peer_end(&peer);
	ring_close(&busy);
}

/* The rest of a packet never comes: what was lent for its beginning can be taken back. */
EXO_TEST(nic_unfinished_packets_pin_nothing, NIC)
{
	struct guest_frames f;
	exo_slot claim;
	struct ring r;
	int err = EXO_MORE;

	must((claim = nic_arp_claim(guest_claim("nic"), 53)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(guest_frames_make(&f, 1), 0);
	for (unsigned parts = 1; parts < 30; parts += 7) {
		exo_slot lent = guest_narrow(f.slot, f.lo, f.hi, EXO_R_READ);

		must(lent != 0);
		ring_part(&r, 0, 0, 60, EXO_TX_MORE);
		for (unsigned i = 0; i < parts; i++)
			ring_part(&r, lent, f.lo * EXO_PAGE_SIZE, 60, EXO_TX_MORE);
		expect_eq(ring_kick(&r), 1 + parts);
		err = EXO_MORE;
		for (unsigned i = 0; i < 300 && err == EXO_MORE; i++) {
			err = (int)exo_cap_revoke(f.slot);
			if (err == EXO_MORE)
				guest_pause_ms(10);
		}
		must_eq(err, 0);
		expect_eq(guest_frame(f.lo)->pins, 0);
		expect_eq(r.page->error, -EXO_E_ARG);
		ring_part(&r, 0, 0, 60, 0);     /* the end of it */
		expect(arp_works(&r, 53));
	}
	/* Parts of the data area wait. */
	r.page->error = 0;
	ring_part(&r, 0, 0, 60, EXO_TX_MORE);
	expect_eq(ring_kick(&r), 1);
	expect_eq(r.page->error, 0);
	expect_eq(r.page->tx_done, r.page->tx_tail - 1);
	ring_close(&r);
}
