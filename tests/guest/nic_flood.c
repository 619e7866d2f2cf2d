/* SPDX-License-Identifier: MIT */
/*
 * nic_flood.c - many small packets of one claim beside those of another.
 */
#include <base/string.h>
#include <exos/console.h>
#include <exos/start.h>
#include <exos/time.h>
#include <exos/cap.h>
#include "nic.h"
#include "peer.h"

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

#define HOST_MANY 72u
#define HOST_ONE  73u
#define RINGS     16u           /* as many as a claim binds */
#define SENT      240u          /* parts on their way at a time */
#define ASKED     16u           /* questions without an answer: of one ring, and of the 16 */
#define FLOOD_MS  1000u
#define MOMENT_US 100u
#define ENOUGH    500u          /* packets of both */
#define TRIES     5u

static struct ring many[RINGS];
static exo_slot many_name[RINGS];       /* in the peer's table */
static uint8_t question[2][ARP_BYTES];

/* Words of the peer that floods. */
enum { STOP, ASK, CLAIM };

/* Take all that came: how many packets. */
static uint32_t drain(struct ring *r)
{
	uint32_t got = __atomic_load_n(&r->page->rx_done, __ATOMIC_ACQUIRE), count = got - r->seen;

	while (r->seen != got) {
		r->seen++;
		ring_repost(r);
	}
	return count;
}

/* Write packets and kick: until all room is used, or, for answers, as many as `room` says. */
static void fill(struct ring *r, exo_slot name, uint32_t *room)
{
	uint32_t done = __atomic_load_n(&r->page->tx_done, __ATOMIC_ACQUIRE);

	while (r->page->tx_tail - done < SENT && (!room || *room)) {
		ring_part(r, 0, RING_DATA * EXO_PAGE_SIZE / 2, ARP_BYTES, 0);
		if (room)
			--*room;
	}
	exo_nic_kick(name);
}

/* All rings, bound by it, so that it pays for them: again and again. */
static void flood_all(struct peer *peer)
{
	uint32_t room = ASKED;

	for (unsigned i = 0; i < RINGS; i++)
		if (exo_nic_bind(many_name[i], peer->word[CLAIM], 1 + i))
			return;
	while (!__atomic_load_n(&peer->word[STOP], __ATOMIC_ACQUIRE))
		for (unsigned i = 0; i < RINGS; i++) {
			room += drain(&many[i]);
			fill(&many[i], many_name[i], peer->word[ASK] ? &room : NULL);
		}
}

static bool many_make(uint8_t target)
{
	arp_request(question[0], HOST_MANY);
	question[0][41] = target;
	for (unsigned i = 0; i < RINGS; i++) {
		if (!expect_eq(ring_make(&many[i]), 0))
			return false;
		memcpy(many[i].data + RING_DATA * EXO_PAGE_SIZE / 2, question[0], ARP_BYTES);
		many[i].page->rx_quiet = 1;
	}
	return true;
}

static uint64_t many_sum(bool received)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < RINGS; i++)
		sum += received ? many[i].page->received : many[i].page->sent;
	return sum;
}

/* The peer, on another CPU than the test, with the names of all rings. */
static bool flood_start(struct peer *peer, exo_slot claim, bool ask)
{
	uint32_t cpu;
	int64_t name;

	if (!expect_eq(peer_make(peer), 0))
		return false;
	for (unsigned i = 0; i < RINGS; i++) {
		name = peer_give(peer, i, many[i].ring, EXO_R_CONTROL);
		if (!expect(name > 0))
			return false;
		many_name[i] = (exo_slot)name;
	}
	name = peer_give(peer, RINGS, claim, EXO_R_READ | EXO_R_WRITE);
	if (!expect(name > 0))
		return false;
	peer->word[CLAIM] = (uint64_t)name;
	peer->word[ASK] = ask;
	cpu = (exos_page()->cpu + 1) % exos_machine()->cpus;
	return expect_eq(peer_slots(peer, cpu, 0, 8), 0) &&
	       expect_eq(peer_start(peer, flood_all, 0), 0);
}

/* Has the ring packets that the device was not given yet?  All are of one part. */
static bool waits(const struct ring *r)
{
	uint64_t gone = r->page->sent + r->page->refused;

	return r->page->tx_tail != (uint32_t)gone;
}

static void look(const struct ring *one, bool ask, uint64_t now[2])
{
	now[0] = many_sum(ask);
	now[1] = ask ? one->page->received : one->page->sent;
}

/*
 * Add what both sides do for a moment, if the one ring has packets waiting all the time: a host
 * that does not run its CPU lets it run dry, and then the turns are not to blame.
 */
static void tally(const struct ring *one, bool ask, uint64_t got[2])
{
	uint64_t end = exos_deadline(MOMENT_US * 1000ull), before[2], after[2];

	look(one, ask, before);
	while (exos_tsc() < end)
		;
	look(one, ask, after);
	if (!ask && !waits(one))
		return;
	for (unsigned i = 0; i < 2; i++)
		got[i] += after[i] - before[i];
}

/* One ring beside 16: what each side sent, or received. */
static void compete(exo_slot nic, uint8_t target, bool ask, uint64_t got[2])
{
	exo_slot claim[2] = { nic_arp_claim(nic, HOST_MANY), nic_arp_claim(nic, HOST_ONE) };
	uint64_t deadline, limit;
	uint32_t room = ASKED;
	struct peer peer;
	struct ring one;

	must(claim[0] && claim[1] && many_make(target));
	must_eq(ring_open(&one, claim[1]), 0);
	arp_request(question[1], HOST_ONE);
	question[1][41] = target;
	memcpy(one.data + RING_DATA * EXO_PAGE_SIZE / 2, question[1], ARP_BYTES);
	one.page->rx_quiet = 1;
	must(flood_start(&peer, claim[0], ask));
	while (many[0].page->sent < 10 && peer.page->stop_reason == EXO_STOP_RUNS)
		exo_env_yield(0);
	got[0] = got[1] = 0;
	deadline = exos_deadline(FLOOD_MS * 1000000ull);
	limit = exos_deadline(20 * FLOOD_MS * 1000000ull);
	/* A second, and longer where the host is busy. */
	while (exos_tsc() < deadline ||
	       (got[0] + got[1] < ENOUGH && exos_tsc() < limit)) {
		room += drain(&one);
		fill(&one, one.ring, ask ? &room : NULL);
		tally(&one, ask, got);
	}
	peer.word[STOP] = 1;
	expect(peer_wait(&peer, 10000));
	peer_end(&peer);
	ring_close(&one);
	for (unsigned i = 0; i < RINGS; i++)
		ring_close(&many[i]);
	for (unsigned i = 0; i < 2; i++)
		expect_eq(exos_cap_drop(claim[i]), 0);
}

/*
 * Half of the card is its share, of which four fifths; sixteen to one is what rings alone would
 * make of it.  A busy host that stops one of the two CPUs is no verdict: another try.
 */
static void share_check(const char *what, uint8_t target, bool ask)
{
	uint64_t got[2] = { 0, 0 };

	for (unsigned try = 0; try < TRIES && !guest_failures(); try++) {
		compete(guest_claim("nic"), target, ask, got);
		printf("nic: one ring %s %lu packets beside %lu of sixteen\n", what, got[1],
		       got[0]);
		expect(got[0] + got[1] > 100);
		if (got[1] * 10 >= (got[0] + got[1]) * 4)
			return;
	}
	guest_fail("one ring %s %lu packets, sixteen of another claim %lu", what, got[1], got[0]);
}

EXO_TEST(nic_sixteen_rings_send_no_more_than_one, NIC_SMP)
{
	share_check("sent", 200, false);
}

EXO_TEST(nic_sixteen_rings_receive_no_more_than_one, NIC_SMP)
{
	share_check("received", 2, true);
}
