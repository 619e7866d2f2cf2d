/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - environment pages scribbled over while they are in use, deadlines from nowhere, and
 * storms of changes in one space: the kernel goes on and the neighbours do not notice.
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
#include "x86/insn.h"

#define HERE   (exos_page()->cpu)
#define SECOND 1000000000ull
#define VA     0x0000200000000000ull

static volatile uint64_t over;

static uint64_t next(struct peer *peer)
{
	uint64_t x = peer->word[0];

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return peer->word[0] = x;
}

/* Everything that a program does with its page: calls, faults, foreign calls, waits. */
static void use_the_page(struct peer *peer)
{
	while (!over) {
		insn_ud2();
		insn_int80(1);
		exo_env_wait(peer->page->event_head, insn_tsc() + 1000);
		exo_env_yield(0);
		exo_env_alarm();
		peer->word[2]++;
	}
}

/* A number for a field: an address of ours, a wild one, a small one, anything. */
static uint64_t wild(struct peer *peer, const struct exo_env_page *page)
{
	uint64_t r = next(peer);

	switch (r >> 61) {
	case 0: return (uint64_t)peer_upcall;
	case 1: return (uint64_t)page + r % 4096;
	case 2: return r % 3;
	case 3: return 1ull << (r % 64);
	case 4: return 0xffffffff80000000ull + r % 65536;
	case 5: return insn_tsc() + r % 100000;
	default: return r;
	}
}

/* word[1]: the other's page.  Scribble over it word by word, for as long as it lasts. */
static void scribble(struct peer *peer)
{
	volatile uint64_t *page = (volatile uint64_t *)peer->word[1];

	while (!over) {
		/* Mostly the fields before the areas; sometimes anywhere but the user part. */
		uint64_t at = next(peer) % (next(peer) % 4 ? 0x100 / 8 : 0xa00 / 8);

		page[at] = wild(peer, (const struct exo_env_page *)peer->word[1]);
		peer->word[2]++;
		if (peer->word[2] % 64 == 0)
			exo_env_yield(0);
	}
}

static bool begin(struct peer *peer, peer_main *start, uint32_t cpu, uint32_t first, uint64_t seed)
{
	if (!expect_eq(peer_make(peer), 0) || !expect_eq(peer_slots(peer, cpu, first, 2), 0))
		return false;
	peer->word[0] = seed;
	peer_upcalls(peer, peer_note);
	peer_slices(peer, true);
	return start ? expect_eq(peer_start(peer, start, 0), 0) : true;
}

/* The scribbler on one CPU, its victim on another; the victim is started again whenever it stops. */
static void scribble_from(uint32_t cpu)
{
	struct peer victim, scribbler;
	uint64_t end = exos_deadline(3 * SECOND), starts = 0;

	over = 0;
	must(begin(&victim, NULL, HERE, 0, 1));
	victim.word[15] = INSN_UD2_BYTES;
	must(begin(&scribbler, NULL, cpu, 2, 0x243f6a8885a308d3));
	scribbler.word[1] = (uint64_t)victim.page;
	must_eq(peer_start(&scribbler, scribble, 0), 0);
	while (exos_tsc() < end) {
		/* Its page says anything: only the kernel knows whether it runs. */
		if (exo_env_control(victim.env, EXO_ENV_SPACE, guest_claim("space"), 0) == 0) {
			peer_upcalls(&victim, peer_note);
			starts += peer_start(&victim, use_the_page, 0) == 0;
		}
		exos_sleep(SECOND / 200);
	}
	over = 1;
	expect(peer_wait(&scribbler, 20000));
	expect(starts > 0);
	expect(scribbler.word[2] > 100);
	peer_end(&scribbler);
	peer_end(&victim);
}

EXO_TEST(pages_scribbled_over_while_in_use, LONG)
{
	scribble_from(HERE);
}

EXO_TEST(pages_scribbled_over_from_another_cpu, SMP)
{
	scribble_from((HERE + 1) % exos_machine()->cpus);
}

static const uint64_t deadlines[] = { 1, 2, 1ull << 31, 1ull << 62, 1ull << 63, ~0ull, ~0ull - 1 };

/* Waits and alarms with every deadline that makes no sense, each ended by a post. */
static void wait_wildly(struct peer *peer)
{
	for (unsigned i = 0; i < ARRAY_LEN(deadlines); i++) {
		peer->page->alarm_tsc = deadlines[ARRAY_LEN(deadlines) - 1 - i];
		exo_env_alarm();
		peer->word[1] = i + 1;
		exo_env_wait(peer->page->event_head, deadlines[i]);
		__atomic_exchange_n(&peer->page->event_count[0], 0, __ATOMIC_ACQ_REL);
		__atomic_exchange_n(&peer->page->event_count[9], 0, __ATOMIC_ACQ_REL);
	}
	peer->page->alarm_tsc = 0;
	exo_env_alarm();
	peer->word[2] = 1;
}

EXO_TEST(deadlines_from_nowhere, SHORT)
{
	struct peer peer;
	exo_slot bell;

	must(begin(&peer, NULL, HERE, 0, 1));
	bell = (exo_slot)exo_doorbell(peer.env, guest_sid(), 9, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	must_eq(peer_start(&peer, wait_wildly, 0), 0);
	for (unsigned i = 0; i < 2000 && !peer.word[2]; i++) {
		exos_sleep(SECOND / 1000);
		expect_eq(exo_env_notify(bell), 0);
	}
	expect_eq(peer.word[1], ARRAY_LEN(deadlines));
	expect_eq(peer.word[2], 1);
	expect(peer_wait(&peer, 5000));
	peer_end(&peer);
}

/*
 * Each peer maps, uses, protects and unmaps frames of its own at addresses of its own in the space of
 * all: word[1] address, word[3] frame claim, word[4] pfn, word[5] space claim; word[6]: mistakes.
 */
static void storm(struct peer *peer)
{
	volatile uint64_t *mine = (volatile uint64_t *)peer->word[1];
	struct exo_map_op op[3];
	uint64_t n = 1;

	for (; !over; n++) {
		op[0] = (struct exo_map_op){ .slot = peer->word[3], .va = peer->word[1], .pfn = peer->word[4],
					     .pages = 4, .op = EXO_MAP, .prot = EXO_R_READ | EXO_R_WRITE };
		op[1] = (struct exo_map_op){ .va = peer->word[1], .pages = 4, .op = EXO_PROTECT,
					     .prot = EXO_R_READ };
		op[2] = (struct exo_map_op){ .va = peer->word[1], .pages = 4, .op = EXO_UNMAP };
		peer->word[6] += exo_space_update(peer->word[5], (uint64_t)&op[0], 1) != 1;
		for (unsigned i = 0; i < 4; i++)
			mine[i * 512] = n + i;
		peer->word[6] += exo_space_update(peer->word[5], (uint64_t)&op[1], 1) != 1;
		for (unsigned i = 0; i < 4; i++)
			peer->word[6] += mine[i * 512] != n + i;
		peer->word[6] += exo_space_update(peer->word[5], (uint64_t)&op[2], 1) != 1;
		peer->word[2] = n;
	}
}

EXO_TEST(a_storm_of_mappings_in_one_space, LONG)
{
	enum { MOST = 4 };
	static struct peer peers[MOST];
	static struct guest_frames f[MOST];
	uint64_t end = exos_deadline(3 * SECOND);

	over = 0;
	must_eq(exos_space_prepare(&exos_space_own, VA, MOST * 4), 0);
	for (uint32_t i = 0; i < MOST; i++) {
		must_eq(guest_frames_make(&f[i], 4), 0);
		must(begin(&peers[i], NULL, i % exos_machine()->cpus, 2 * (i / exos_machine()->cpus), 1));
		/* All of them in the same page table. */
		peers[i].word[1] = VA + i * 4 * EXO_PAGE_SIZE;
		peers[i].word[3] = (uint64_t)peer_give(&peers[i], 0, f[i].slot, GUEST_RW);
		peers[i].word[4] = f[i].lo;
		peers[i].word[5] = (uint64_t)peer_give(&peers[i], 1, guest_claim("space"), EXO_R_CONTROL);
		must_eq(peer_start(&peers[i], storm, 0), 0);
	}
	while (exos_tsc() < end)
		exos_sleep(SECOND / 20);
	over = 1;
	for (uint32_t i = 0; i < MOST; i++) {
		expect(peer_wait(&peers[i], 20000));
		expect_eq(peers[i].page->stop_reason, EXO_STOP_EXIT);
		expect(peers[i].word[2] > 1);
		expect_eq(peers[i].word[6], 0);
		expect_eq(peers[i].upcalls, 0);
		peer_end(&peers[i]);
		guest_frames_end(&f[i]);
	}
}
