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
#include <exos/spawn.h>
#include <exos/start.h>
#include <exos/time.h>
#include <exos/upcall.h>
#include "guest.h"
#include "parts.h"
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

static int step_over(struct exo_context *context, void *argument)
{
	(void)argument;
	if (context->vector != EXO_TRAP_INT80)
		context->rip += INSN_UD2_BYTES;
	return 0;
}

/* As a program of its own: everything that one does with its page, without end. */
int hostile_part(void)
{
	struct exo_env_page *page = exos_page();

	exos_upcall_handle(6, step_over, NULL);
	exos_upcall_handle(EXO_TRAP_INT80, step_over, NULL);
	for (;;) {
		insn_ud2();
		insn_int80(1);
		exo_env_wait(page->event_head, insn_tsc() + 1000);
		exo_env_yield(0);
		exo_env_alarm();
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

/* word[1]: the other's page, or 0: rest; word[3]: what we scribble on.  Word by word. */
static void scribble(struct peer *peer)
{
	while (!over) {
		volatile uint64_t *page = (volatile uint64_t *)__atomic_load_n(&peer->word[1],
									       __ATOMIC_ACQUIRE);
		/* Mostly the fields before the areas; sometimes anywhere but the user part. */
		uint64_t at = next(peer) % (next(peer) % 4 ? 0x100 / 8 : 0xa00 / 8);

		__atomic_store_n(&peer->word[3], (uint64_t)page, __ATOMIC_RELEASE);
		if (page) {
			page[at] = wild(peer, (const struct exo_env_page *)page);
			peer->word[2]++;
		}
		if (!page || peer->word[2] % 64 == 0)
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

/* Did it scribble so much more?  It may have to wait for a slot of its own first. */
static bool scribbled_more(const struct peer *scribbler, uint64_t words)
{
	const volatile uint64_t *written = &scribbler->word[2];
	uint64_t from = *written, end = exos_deadline(20 * SECOND);

	while (*written - from < words && exos_tsc() < end)
		exos_sleep(SECOND / 100);
	return expect(*written - from >= words);
}

/* A program whose page is scribbled over for a while, and that is then taken back. */
static bool scribble_once(struct peer *scribbler)
{
	static const char *const argv[] = { "suite", "part", "hostile" };
	const struct exos_grant *time = peer_time(HERE);
	struct exos_spawn_time slots = { time->slot, (uint32_t)time->lo, (uint32_t)time->lo + 2,
					1 };
	struct exos_spawn request = { .argc = 3, .argv = argv, .frames = 400, .times = 1,
				     .time = &slots };
	struct exos_child child = { .page = NULL };

	request.file = parts_program(&request.file_bytes);
	if (!request.file || !expect_eq(exos_spawn(&request, &child), 0))
		return false;
	exos_sleep(SECOND / 50);
	__atomic_store_n(&scribbler->word[1], (uint64_t)child.page, __ATOMIC_RELEASE);
	if (!scribbled_more(scribbler, 100))
		return false;
	__atomic_store_n(&scribbler->word[1], 0, __ATOMIC_RELEASE);
	if (!expect(guest_await(&scribbler->word[3], 0, 20000)))
		return false;
	return expect_eq(exos_child_end(&child), 0);
}

static void scribble_from(uint32_t cpu)
{
	struct peer scribbler;

	over = 0;
	must(begin(&scribbler, scribble, cpu, 2, 0x243f6a8885a308d3));
	for (unsigned round = 0; round < 25; round++)
		must(scribble_once(&scribbler));
	over = 1;
	expect(peer_wait(&scribbler, 20000));
	expect_eq(scribbler.page->stop_reason, EXO_STOP_EXIT);
	peer_end(&scribbler);
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
 * Each peer maps, uses, protects and unmaps frames of its own at addresses of its own in the
 * space of
 * all: word[1] address, word[3] frame claim, word[4] pfn, word[5] space claim; word[6]: mistakes.
 */
static void storm(struct peer *peer)
{
	volatile uint64_t *mine = (volatile uint64_t *)peer->word[1];
	struct exo_map_op op[3];
	uint64_t n = 1;

	for (; !over; n++) {
		op[0] = (struct exo_map_op){ .slot = peer->word[3], .va = peer->word[1],
					    .pfn = peer->word[4],
					     .pages = 4, .op = EXO_MAP,
						     .prot = EXO_R_READ | EXO_R_WRITE };
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
	uint64_t end = exos_deadline(3 * SECOND), total = 0;

	over = 0;
	must_eq(exos_space_prepare(&exos_space_own, VA, MOST * 4), 0);
	for (uint32_t i = 0; i < MOST; i++) {
		must_eq(guest_frames_make(&f[i], 4), 0);
		must(begin(&peers[i], NULL, i % exos_machine()->cpus,
			   2 * (i / exos_machine()->cpus), 1));
		/* All of them in the same page table. */
		peers[i].word[1] = VA + i * 4 * EXO_PAGE_SIZE;
		peers[i].word[3] = (uint64_t)peer_give(&peers[i], 0, f[i].slot, GUEST_RW);
		peers[i].word[4] = f[i].lo;
		peers[i].word[5] = (uint64_t)peer_give(&peers[i], 1, guest_claim("space"),
						       EXO_R_CONTROL);
		must_eq(peer_start(&peers[i], storm, 0), 0);
	}
	while (exos_tsc() < end)
		exos_sleep(SECOND / 20);
	over = 1;
	for (uint32_t i = 0; i < MOST; i++) {
		expect(peer_wait(&peers[i], 20000));
		expect_eq(peers[i].page->stop_reason, EXO_STOP_EXIT);
		total += peers[i].word[2];
		expect_eq(peers[i].word[6], 0);
		expect_eq(peers[i].page->faults, 0);
		peer_end(&peers[i]);
		guest_frames_end(&f[i]);
	}
	expect(total > 20);
}
