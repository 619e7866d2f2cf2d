/* SPDX-License-Identifier: MIT */
/*
 * smp.c - taking things away from a program that is running on another CPU at that moment.
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

#define VA      0x0000200000000000ull
#define ROUNDS  25u

/* Any CPU but ours, by turns. */
static uint32_t other_cpu(unsigned round)
{
	uint32_t cpus = exos_machine()->cpus;

	return (exos_page()->cpu + 1 + round % (cpus - 1)) % cpus;
}

/* word[0]: address, word[1]: last value stored, word[3]: the fault came. */
static void store_until_fault(struct peer *peer)
{
	while (!peer->word[3])
		insn_store((void *)peer->word[0], ++peer->word[1]);
}

static void note_fault(struct peer *peer, struct exo_context *context)
{
	peer_note(peer, context);
	__atomic_store_n(&peer->word[3], 1, __ATOMIC_RELEASE);
}

/* Start a peer on another CPU that stores to VA, and wait until it does. */
static bool start_storing(struct peer *peer, unsigned round)
{
	if (!expect_eq(peer_make(peer), 0))
		return false;
	peer_upcalls(peer, note_fault);
	peer->word[15] = INSN_STORE_BYTES;
	peer->word[0] = VA;
	if (!expect_eq(peer_slots(peer, other_cpu(round), 0, 4), 0) ||
	    !expect_eq(peer_start(peer, store_until_fault, 0), 0))
		return false;
	for (unsigned i = 0; i < 100000 &&
	     __atomic_load_n(&peer->word[1], __ATOMIC_RELAXED) < 100; i++)
		exo_env_yield(0);
	return expect(peer->word[1] >= 100);
}

/* After `done`: the frame does not change any more, and the program saw its fault. */
static void check_quiet(struct peer *peer, const volatile uint64_t *frame)
{
	uint64_t value = *frame;

	expect(peer_wait(peer, 10000));
	expect_eq(*frame, value);
	expect_eq(peer->page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer->upcalls, 1);
	expect_eq(peer->seen.vector, EXO_TRAP_PAGE_FAULT);
	expect_eq(peer->seen.cr2, VA);
	expect(value > 0 && value + 1 == peer->word[1]);
}

EXO_TEST(no_store_lands_after_a_revoke_is_done, SMP)
{
	struct guest_frames f;
	volatile uint64_t *frame;

	must_eq(guest_frames_make(&f, 1), 0);
	must_eq(exos_space_prepare(&exos_space_own, VA, 1), 0);
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		exo_slot claim = guest_narrow(f.slot, f.lo, f.hi, GUEST_RW);
		struct peer peer;

		must(claim != 0);
		must_eq(exos_space_map(&exos_space_own, VA, claim, f.lo, 1, GUEST_RW), 0);
		*(volatile uint64_t *)VA = 0;
		must(start_storing(&peer, round));
		expect_eq(exos_cap_revoke(f.slot), 0);
		frame = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
		must(frame != NULL);
		check_quiet(&peer, frame);
		exos_space_window_end((void *)frame, 1);
		peer_end(&peer);
		exos_slot_sweep();
	}
}

EXO_TEST(no_store_lands_after_an_unmap, SMP)
{
	struct guest_frames f;
	volatile uint64_t *frame;

	must_eq(guest_frames_make(&f, 1), 0);
	frame = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
	must(frame != NULL);
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct peer peer;

		must_eq(exos_space_map(&exos_space_own, VA, f.slot, f.lo, 1, GUEST_RW), 0);
		*(volatile uint64_t *)VA = 0;
		must(start_storing(&peer, round));
		if (round % 2)
			expect_eq(exos_space_unmap(&exos_space_own, VA, 1), 0);
		else
			expect_eq(exos_space_protect(&exos_space_own, VA, 1, EXO_R_READ), 0);
		check_quiet(&peer, frame);
		expect_eq(exos_space_unmap(&exos_space_own, VA, 1), 0);
		peer_end(&peer);
	}
}

EXO_TEST(a_table_goes_while_another_cpu_uses_it, SMP)
{
	struct guest_frames f, t;
	volatile uint64_t *frame;

	must_eq(guest_frames_make(&f, 1), 0);
	frame = exos_space_window(f.slot, f.lo, 1, EXO_R_READ, NULL);
	must(frame != NULL);
	must_eq(exos_space_prepare(&exos_space_own, VA + (2 << 20), 1), 0);
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct exo_map_op op[2] = { { .va = VA, .op = EXO_LINK },
					    { .va = VA, .op = EXO_MAP, .pfn = f.lo, .pages = 1,
					      .prot = GUEST_RW, .slot = f.slot } };
		struct peer peer;
		exo_slot table;

		must_eq(guest_frames_make(&t, EXO_FRAMES_PT), 0);
		must((table = guest_retype(t.slot, t.lo, EXO_KIND_PT, 1)) != 0);
		op[0].slot = table;
		must_eq(exo_space_update(guest_claim("space"), (uint64_t)op, 2), 2);
		*(volatile uint64_t *)VA = 0;
		must(start_storing(&peer, round));
		expect_eq(exos_cap_drop(table), 0);
		check_quiet(&peer, frame);
		expect_eq(guest_maps(f.lo), 1);
		peer_end(&peer);
		guest_frames_end(&t);
	}
}

/* word[0]: counter of turns. */
static void turn(struct peer *peer)
{
	for (volatile uint64_t *turns = &peer->word[0];; (*turns)++)
		continue;
}

EXO_TEST(stopping_what_runs_on_another_cpu, SMP)
{
	for (unsigned round = 0; round < ROUNDS && !guest_failures(); round++) {
		struct peer peer;
		uint64_t turns;

		must_eq(peer_make(&peer), 0);
		must_eq(peer_slots(&peer, other_cpu(round), 0, 8), 0);
		must_eq(peer_start(&peer, turn, 0), 0);
		for (unsigned i = 0; i < 100000 &&
		     !__atomic_load_n(&peer.word[0], __ATOMIC_RELAXED); i++)
			exo_env_yield(0);
		expect(peer.word[0] > 0);
		while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
			continue;
		turns = __atomic_load_n(&peer.word[0], __ATOMIC_RELAXED);
		expect_eq(peer.page->stop_reason, EXO_STOP_HOLDER);
		exo_env_yield(0);
		expect_eq(peer.word[0], turns);
		peer_end(&peer);
	}
}

EXO_TEST(ending_what_runs_on_every_cpu, SMP)
{
	enum { MOST = 8 };
	uint32_t cpus = (uint32_t)min_u64(exos_machine()->cpus, MOST);

	for (unsigned round = 0; round < 10 && !guest_failures(); round++) {
		static struct peer peers[MOST];

		for (uint32_t cpu = 0; cpu < cpus; cpu++) {
			must_eq(peer_make(&peers[cpu]), 0);
			must_eq(peer_slots(&peers[cpu], cpu, 0, 2), 0);
			must_eq(peer_start(&peers[cpu], turn, 0), 0);
		}
		guest_pause_ms(5);
		/* No stop first: their memory simply goes. */
		for (uint32_t cpu = 0; cpu < cpus; cpu++) {
			exos_space_window_end(peers[cpu].page, 1);
			peers[cpu].page = NULL;
			peer_end(&peers[cpu]);
		}
	}
}

/* Interrupts that all CPUs sent to each other. */
static uint64_t ipis_sent(void)
{
	const struct exo_machine *m = exos_machine();
	uint64_t count = 0;

	for (uint64_t cpu = 0; cpu < m->cpus; cpu++)
		count += ((const volatile struct exo_cpu_stats *)exos_machine_at(
				  m->stats_off + cpu * EXO_PAGE_SIZE))->ipis;
	return count;
}

/* No CPU translates by a guest's tables outside of the guest: none is asked about them. */
EXO_TEST(other_cpus_are_not_asked_about_the_spaces_of_guests, SMP)
{
	enum { TURNS = 50, PAGES = 4 };
	struct guest_frames tables, pages;
	struct exos_space space = { 0 };
	struct peer peer;
	uint64_t sent;

	must_eq(guest_frames_make(&tables, EXO_FRAMES_PT), 0);
	must_eq(guest_frames_make(&pages, PAGES), 0);
	space.slot = guest_retype(tables.slot, tables.lo, EXO_KIND_SPACE, EXO_SPACE_GUEST);
	space.tables = exos_space_own.tables;
	must(space.slot != 0);
	must_eq(exos_space_prepare(&space, 0, PAGES), 0);
	must_eq(exos_space_map(&exos_space_own, VA, pages.slot, pages.lo, 1, GUEST_RW), 0);
	must(start_storing(&peer, 0));
	sent = ipis_sent();
	for (unsigned i = 0; i < TURNS; i++) {
		must_eq(exos_space_map(&space, 0, pages.slot, pages.lo, PAGES, GUEST_RW), 0);
		must_eq(exos_space_unmap(&space, 0, PAGES), 0);
	}
	/* Slices end meanwhile, and may wake others: far fewer than one a turn. */
	expect(ipis_sent() - sent < TURNS / 2);
	peer_end(&peer);
}
