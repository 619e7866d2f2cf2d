/* SPDX-License-Identifier: MIT */
/*
 * nic_revoke.c - memory is taken back while packets land in it and leave from it.
 *
 * Another program, on another CPU if there is one, asks the network for answers all the time.  As
 * soon as a revocation says that it is done, the frames are filled with a pattern, which must stay.
 */
#include <base/string.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include "nic.h"
#include "peer.h"

#define ROUNDS  20u
#define PATTERN 0x5a5a5a5a5a5a5a5aull
#define SEND_AT 60000u          /* a packet in the data area */

static struct ring asking;      /* of the peer, which fills and kicks it */
static uint32_t lent_frames;

/*
 * word[0]: the ring by its name, word[1]: stop, word[2]: turns, word[3]: parts refused, word[4] and
 * [5]: what to send from, a claim (0: the data area) and an address.
 */
static void ask_for_ever(struct peer *p)
{
	struct exo_packets_page *page = asking.page;

	while (!__atomic_load_n(&p->word[1], __ATOMIC_ACQUIRE)) {
		uint64_t slot = __atomic_load_n(&p->word[4], __ATOMIC_ACQUIRE);

		while (page->tx_tail - __atomic_load_n(&page->tx_done, __ATOMIC_ACQUIRE) < 8) {
			asking.tx[page->tx_tail % EXO_PACKETS] = (struct exo_tx){
				.slot = slot, .at = slot ? p->word[5] : SEND_AT,
				.bytes = ARP_BYTES };
			__atomic_store_n(&page->tx_tail, page->tx_tail + 1, __ATOMIC_RELEASE);
		}
		if (exo_nic_kick(p->word[0]) < 0)
			p->word[3]++;
		p->word[2]++;
	}
}

/* The peer asks on behalf of 10.0.2.`host`; answers come to whoever has the claim and room. */
static bool asker_start(struct peer *p, exo_slot claim, uint8_t host)
{
	uint32_t cpu = (exos_page()->cpu + 1) % exos_machine()->cpus;
	int64_t name;

	if (!expect_eq(ring_open(&asking, claim), 0) || !expect_eq(peer_make(p), 0))
		return false;
	asking.page->rx_quiet = 1;
	arp_request(asking.data + SEND_AT, host);
	name = peer_give(p, 3, asking.ring, EXO_R_CONTROL);
	p->word[0] = (uint64_t)name;
	return expect(name > 0) && expect_eq(peer_slots(p, cpu, 0, 8), 0) &&
	       expect_eq(peer_start(p, ask_for_ever, 0), 0);
}

static void asker_end(struct peer *p)
{
	p->word[1] = 1;
	expect(peer_wait(p, 5000));
	peer_end(p);
	ring_close(&asking);
}

/* Nothing of a frame that is ours again changes for as long as answers keep coming. */
static void expect_still(exo_slot slot, uint64_t lo, uint64_t count, struct peer *p)
{
	uint64_t *words = exos_space_window(slot, lo, count, GUEST_RW, NULL), turns, wrong = 0;

	if (!expect(words != NULL))
		return;
	for (uint64_t i = 0; i < count * EXO_PAGE_SIZE / 8; i++)
		words[i] = PATTERN;
	turns = __atomic_load_n(&p->word[2], __ATOMIC_RELAXED);
	for (unsigned ms = 0; ms < 5000; ms += 10) {
		guest_pause_ms(10);
		if (__atomic_load_n(&p->word[2], __ATOMIC_RELAXED) > turns)
			break;
	}
	expect(__atomic_load_n(&p->word[2], __ATOMIC_RELAXED) > turns);
	for (uint64_t i = 0; i < count * EXO_PAGE_SIZE / 8; i++)
		wrong += words[i] != PATTERN;
	expect_eq(wrong, 0);
	exos_space_window_end(words, count);
}

/* Rings with posted buffers are taken while answers land in them. */
EXO_TEST(nic_no_packet_lands_after_a_revoke, NIC)
{
	exo_slot claim = nic_arp_claim(guest_claim("nic"), 60);
	uint64_t received = 0;
	struct peer peer;

	must(claim && asker_start(&peer, claim, 60));
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct ring r;

		must_eq(ring_open(&r, claim), 0);
		/* As soon as some came, mostly; the buffers of the asker's ring are soon full. */
		for (unsigned i = 0; i < 500 && r.page->received < round % 8; i++)
			guest_pause_ms(1);
		received += r.page->received;
		exos_space_window_end(r.page, 4 + RING_DATA);
		expect_eq(exos_cap_revoke(r.frames.slot), 0);
		expect_eq(guest_use(r.frames.lo), EXO_USE_MEMORY);
		expect_still(r.frames.slot, r.frames.lo, r.frames.hi - r.frames.lo, &peer);
		guest_frames_end(&r.frames);
		exos_slot_sweep();
		exos_event_free(r.entry);
	}
	expect(received > ROUNDS);
	asker_end(&peer);
}

/* Frames that packets are sent from, in place, are taken while they are being sent. */
EXO_TEST(nic_what_is_lent_comes_back_with_a_revoke, NIC)
{
	exo_slot claim = nic_arp_claim(guest_claim("nic"), 61);
	struct peer peer;
	uint64_t sent = 0;

	must(claim && asker_start(&peer, claim, 61));
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct guest_frames f;
		uint64_t before;
		uint8_t *packet;
		exo_slot part;
		int64_t name;

		must_eq(guest_frames_make(&f, 1), 0);
		packet = exos_space_window(f.slot, f.lo, 1, GUEST_RW, NULL);
		must(packet != NULL);
		arp_request(packet, 61);
		exos_space_window_end(packet, 1);
		must((part = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW)) != 0);
		must((name = peer_give(&peer, 4, part, EXO_R_READ | EXO_SHARE)) > 0);
		before = asking.page->sent;
		peer.word[5] = f.lo * EXO_PAGE_SIZE;
		__atomic_store_n(&peer.word[4], (uint64_t)name, __ATOMIC_RELEASE);
		for (unsigned i = 0; i < 500 && asking.page->sent - before < 20 + round; i++)
			guest_pause_ms(1);
		sent += asking.page->sent - before;
		lent_frames += guest_frame(f.lo)->pins > 0;
		expect_eq(exos_cap_revoke(f.slot), 0);
		/* The peer goes on naming it, and is refused. */
		expect_eq(guest_frame(f.lo)->pins, 0);
		expect_still(f.slot, f.lo, 1, &peer);
		expect_eq(guest_frame(f.lo)->pins, 0);
		__atomic_store_n(&peer.word[4], 0, __ATOMIC_RELEASE);
		guest_frames_end(&f);
		exos_slot_sweep();
	}
	printf("%lu packets sent from lent frames; in %u of %u rounds one was under way then\n",
	       sent, lent_frames, ROUNDS);
	expect(sent > ROUNDS * 10);
	asker_end(&peer);
}
