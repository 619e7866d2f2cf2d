/* SPDX-License-Identifier: MIT */
/*
 * long_work.c - as much work for the kernel as programs can ask for at one time.
 *
 * Most tests give a device's rings the most that they take, and then take away what that needs:
 * all of it ends, nothing is left pinned and, where the kernel measures that, interrupts were never
 * off for long.
 */
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "disk.h"
#include "nic.h"
#include "peer.h"
#include "suite.h"

#define RINGS 6u
#define PAGES 65u               /* that the largest buffer touches */
#define LENT  65536u            /* bytes of a part, in 17 frames */

static void expect_short(void)
{
	if (suite_latency_measured())
		expect(suite_latency_good());
}

static void put_full(struct disk *disk, const struct guest_frames *f, exo_slot claim)
{
	uint32_t count = EXO_DISK_MAX_BYTES / disk_block_bytes();

	for (unsigned i = 0; i < EXO_DISK_RING; i++) {
		struct exo_disk_req req = { .slot = claim, .pfn = f->lo, .block = i % 8 * count,
			                    .tag = i, .count = count, .op = EXO_DISK_READ,
			                    .offset = 512 };

		disk_put(disk, &req);
	}
	expect_eq(exo_disk_kick(disk->ring), EXO_DISK_RING);
}

static void rings_fill(struct disk *disks, exo_slot blocks, const struct guest_frames *f,
                       exo_slot claim)
{
	for (unsigned i = 0; i < RINGS; i++)
		must_eq(disk_open(&disks[i], blocks), 0);
	for (unsigned i = 0; i < RINGS; i++)
		put_full(&disks[i], f, claim);
}

/* Every request ended, one way or the other, once. */
static void rings_end(struct disk *disks, const struct guest_frames *f)
{
	for (unsigned i = 0; i < RINGS; i++) {
		expect_eq(disks[i].cq->cq_tail, EXO_DISK_RING);
		disk_close(&disks[i]);
	}
	for (uint64_t pfn = f->lo; pfn < f->hi; pfn++)
		expect_eq(guest_frame(pfn)->pins, 0);
	expect_short();
}

EXO_TEST(requests_of_many_full_rings_end_with_their_frames, DISK)
{
	static struct disk disks[RINGS];
	struct guest_frames f;
	exo_slot child;

	must_eq(guest_frames_make(&f, PAGES), 0);
	must((child = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW)) != 0);
	rings_fill(disks, guest_claim("disk"), &f, child);
	expect_eq(exos_cap_revoke(f.slot), 0);
	rings_end(disks, &f);
}

EXO_TEST(requests_of_many_full_rings_end_with_their_blocks, DISK)
{
	static struct disk disks[RINGS];
	exo_slot whole = guest_claim("disk"), blocks;
	struct guest_frames f;

	must_eq(guest_frames_make(&f, PAGES), 0);
	must((blocks = guest_narrow(whole, 0, exos_cap_look(whole)->hi, EXO_R_READ)) != 0);
	rings_fill(disks, blocks, &f, f.slot);
	expect_eq(exos_cap_revoke(whole), 0);
	rings_end(disks, &f);
}

/* A ring full of packets of one part each, all of them too long to be sent. */
EXO_TEST(nic_parts_of_many_frames_are_taken_and_given_back, NIC)
{
	struct guest_frames f;
	exo_slot claim;
	struct ring r;

	must((claim = nic_arp_claim(guest_claim("nic"), 62)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(guest_frames_make(&f, LENT / EXO_PAGE_SIZE + 1), 0);
	for (unsigned i = 0; i < EXO_PACKETS; i++)
		ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE + 1, LENT, 0);
	expect(ring_done(&r, 5000));
	expect_eq(r.page->refused, EXO_PACKETS);
	expect_eq(r.page->error, -EXO_E_RANGE);
	for (uint64_t pfn = f.lo; pfn < f.hi; pfn++)
		expect_eq(guest_frame(pfn)->pins, 0);
	expect(arp_works(&r, 62));
	ring_close(&r);
	expect_short();
}

/* The same, and the claim they are to be sent by is taken before their turn. */
EXO_TEST(nic_parts_that_wait_end_with_their_claim, NIC)
{
	exo_slot nic = guest_claim("nic"), claim;
	struct guest_frames f;
	struct ring r;

	must((claim = nic_arp_claim(nic, 62)) != 0);
	must_eq(ring_open(&r, claim), 0);
	must_eq(guest_frames_make(&f, LENT / EXO_PAGE_SIZE + 1), 0);
	for (unsigned i = 0; i < EXO_PACKETS; i++)
		ring_part(&r, f.slot, f.lo * EXO_PAGE_SIZE + 1, LENT, 0);
	expect_eq(ring_kick(&r), EXO_PACKETS);
	expect_eq(exos_cap_end(claim), 0);
	for (uint64_t pfn = f.lo; pfn < f.hi; pfn++)
		expect_eq(guest_frame(pfn)->pins, 0);
	expect_refused(ring_kick(&r));
	ring_close(&r);
	expect_short();
}

/* --- slots that name the ends of long chains of gate calls --- */

#define CHAIN 60u

static struct peer first, chain[CHAIN];
static volatile unsigned depth;

/* The gate of who is called next is the callee's word[0]; the last one stays inside. */
static void call_the_next(struct peer_gate_frame *frame)
{
	struct exos_gate_message m = { .cap = 0 };
	unsigned at = depth++;

	frame->rsi = frame->rdi = 0;
	if (at + 1 < CHAIN)
		frame->rdi = (uint64_t)exos_gate_call_once(chain[at].word[0], &m);
	else
		exo_env_wait(chain[at].page->event_head, 0);
}

static void be_called(struct peer *peer)
{
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

static void call_the_first(struct peer *peer)
{
	struct exos_gate_message m = { .cap = 0 };

	exos_gate_call_once(peer->word[0], &m);
}

/* Each has the gate of the one made before it. */
static bool chain_make(void)
{
	int64_t gate = 0;

	for (unsigned i = CHAIN; i--;) {
		struct peer *p = &chain[i];

		if (!expect_eq(peer_make(p), 0))
			return false;
		p->word[0] = gate ? (uint64_t)peer_give(p, 7, (exo_slot)gate, EXO_R_CALL) : 0;
		peer_serve(p, call_the_next);
		if (!expect_eq(peer_start(p, be_called, 0), 0))
			return false;
		while (!exo_env_yield(p->env))
			continue;
		gate = exo_gate_make(p->env, guest_sid(), (uint64_t)peer_gate, 1);
		if (!expect(gate > 0))
			return false;
	}
	if (!expect_eq(peer_make(&first), 0))
		return false;
	first.word[0] = (uint64_t)peer_give(&first, 7, (exo_slot)gate, EXO_R_CALL);
	return expect_eq(peer_start(&first, call_the_first, 0), 0);
}

/* Instructions of the longest env_wait on the first CPU, which looks for another to run. */
static uint32_t waiting_longest(void)
{
	const struct exo_latency *l =
		exos_machine_at(exos_machine()->stats_off + EXO_LATENCY_OFF);

	return l->longest[EXO_CALL_env_wait - 0x4000 + EXO_LATENCY_CALL] >>
	       (unsigned)(suite_word("icount")[0] - '0');
}

/* Who looks for something to run looks at each of them once, not at each by every slot. */
EXO_TEST(slots_of_long_chains_are_passed_over_quickly, LONG)
{
	const struct exos_grant *time = peer_time(0);

	must(time && chain_make());
	for (unsigned i = 0; i < 1000 && depth < CHAIN; i++)
		exo_env_yield(first.env);
	must_eq(depth, CHAIN);
	for (unsigned i = 0; i < time->hi - time->lo; i++)
		must_eq(peer_slots(&chain[i % 8], 0, i, 1), 0);
	guest_pause_ms(100);
	if (suite_latency_measured())
		expect(waiting_longest() < 7000);
	expect_short();
	for (unsigned i = 0; i < CHAIN; i++)
		peer_end(&chain[i]);
	peer_end(&first);
}
