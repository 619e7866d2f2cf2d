/* SPDX-License-Identifier: MIT */
/*
 * env_life.c - environments start, stop, exit and are told of; programs that never yield.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE (exos_page()->cpu)
#define SECOND 1000000000ull

static void leave_a_mark(struct peer *peer)
{
	peer->word[0]++;
	peer->word[1] = peer->page->env_pfn;
	peer->page->exit_code = 77;
}

static void spin_without_end(struct peer *peer)
{
	(void)peer;
	insn_spin();
}

static void count_without_end(struct peer *peer)
{
	for (volatile uint64_t *turns = &peer->word[0];; (*turns)++)
		continue;
}

EXO_TEST(start_exit_and_start_again, SHORT)
{
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	expect_eq(peer.page->stop_reason, EXO_STOP_NEW);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	for (uint64_t round = 1; round <= 3; round++) {
		must_eq(peer_start(&peer, leave_a_mark, 0), 0);
		must_eq(exos_event_wait(entry, exos_deadline(5 * SECOND)), 1);
		expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
		expect_eq(peer.page->exit_code, 77);
		expect_eq(peer.word[0], round);
		expect_eq(peer.word[1], peer_pfn(&peer));
		expect_eq(peer.page->slices >= round, 1);
	}
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, 0, 0), 0);
	must_eq(peer_start(&peer, leave_a_mark, 0), 0);
	must(peer_wait(&peer, 5000));
	expect_eq(exos_event_take(entry), 0);
	peer_end(&peer);
}

EXO_TEST(stopped_from_outside, SHORT)
{
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, HERE, 0, 4), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	must_eq(peer_start(&peer, count_without_end, 0), 0);
	while (!__atomic_load_n(&peer.word[0], __ATOMIC_RELAXED))
		exo_env_yield(peer.env);
	while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		continue;
	expect_eq(peer.page->stop_reason, EXO_STOP_HOLDER);
	expect_eq(exos_event_wait(entry, exos_deadline(SECOND)), 1);
	uint64_t turns = peer.word[0];

	guest_pause_ms(30);
	expect_eq(peer.word[0], turns);
	expect_eq(exo_env_control(peer.env, EXO_ENV_STOP, 0, 0), 0);
	peer_end(&peer);
}

EXO_TEST(control_refuses_what_makes_no_sense, SHORT)
{
	uint32_t entry = exos_event_alloc();
	exo_slot space = guest_claim("space"), weak;
	struct peer peer, other;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_make(&other), 0);
	expect_refused(exo_env_control(peer.env, EXO_ENV_START, 0x400000, 0));
	expect_error(exo_env_control(peer.env, EXO_ENV_SPACE, peer.env, 0), KIND);
	expect_error(exo_env_control(peer.env, EXO_ENV_SPACE, 12345, 0), STALE);
	must((weak = guest_narrow(space, 0, 0, EXO_R_CONTROL)) != 0);
	expect_error(exo_env_control(peer.env, EXO_ENV_SPACE, weak, 0), RIGHTS);
	must_eq(exo_env_control(peer.env, EXO_ENV_SPACE, space, 0), 0);
	expect_error(exo_env_control(peer.env, EXO_ENV_START, EXO_USER_TOP, 0), RANGE);
	expect_error(exo_env_control(peer.env, EXO_ENV_START, ~0ull, 0), RANGE);
	expect_error(exo_env_control(peer.env, EXO_ENV_FSBASE, 1ull << 47, 0), RANGE);
	expect_error(exo_env_control(peer.env, EXO_ENV_WATCH, EXO_EVENTS, 0), RANGE);
	expect_error(exo_env_control(peer.env, 0, 0, 0), ARG);
	expect_error(exo_env_control(peer.env, 99, 0, 0), ARG);
	expect_error(exo_env_control(peer.env, ~0ull, 0, 0), ARG);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	expect_error(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), BUSY);
	/* One source to an entry. */
	expect_error(exo_env_control(other.env, EXO_ENV_WATCH, entry, 0), ROOM);
	must_eq(peer_start(&peer, spin_without_end, 0), 0);
	expect_error(exo_env_control(peer.env, EXO_ENV_SPACE, space, 0), BUSY);
	expect_error(exo_env_control(peer.env, EXO_ENV_START, 0x400000, 0), BUSY);
	expect_error(exo_env_control(peer.env, EXO_ENV_FSBASE, 0, 0), BUSY);
	expect_eq(exo_env_control(peer.env, EXO_ENV_STOP, 0, 0), 0);
	expect_eq(exo_env_control(peer.env, EXO_ENV_FSBASE, 0x1000, 0), 0);
	peer_end(&peer);
	peer_end(&other);
}

EXO_TEST(programs_that_never_yield_are_preempted, SHORT)
{
	struct peer a, b;
	uint64_t end;

	must_eq(peer_make(&a), 0);
	must_eq(peer_make(&b), 0);
	must_eq(peer_slots(&a, HERE, 0, 2), 0);
	must_eq(peer_slots(&b, HERE, 2, 2), 0);
	must_eq(peer_start(&a, count_without_end, 0), 0);
	must_eq(peer_start(&b, count_without_end, 0), 0);
	end = exos_deadline(20 * SECOND);
	while ((a.page->preempted < 3 || b.page->preempted < 3) && exos_tsc() < end)
		exos_sleep(SECOND / 50);
	expect(a.page->preempted >= 3 && b.page->preempted >= 3);
	expect(a.word[0] > 0 && b.word[0] > 0);
	peer_end(&a);
	peer_end(&b);
}

EXO_TEST(a_program_unmaps_its_own_page, SHORT)
{
	struct exo_env_page *page;
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	page = peer.page;
	must_eq(peer_start(&peer, count_without_end, 0), 0);
	while (!__atomic_load_n(&peer.word[0], __ATOMIC_RELAXED))
		exo_env_yield(peer.env);
	exos_space_window_end(page, 1);
	peer.page = NULL;
	/* It goes on, is preempted and stopped: the kernel does not need the mapping. */
	guest_pause_ms(50);
	while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		continue;
	peer.page = exos_space_window(peer.env, peer_pfn(&peer) + 1, 1, GUEST_RW, NULL);
	must(peer.page != NULL);
	expect_eq(peer.page->stop_reason, EXO_STOP_HOLDER);
	peer_end(&peer);
}

EXO_TEST(an_entry_that_is_not_mapped_stops_it, SHORT)
{
	static const uint64_t entries[] =
		{ 0, 0x200000000000, EXO_USER_TOP - 1, EXO_USER_TOP - 4096 };
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_SPACE, guest_claim("space"), 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
		must_eq(exo_env_control(peer.env, EXO_ENV_START, entries[i], 0), 0);
		must_eq(exos_event_wait(entry, exos_deadline(5 * SECOND)), 1);
		expect_eq(peer.page->stop_reason, EXO_STOP_FAULT);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].vector, EXO_TRAP_PAGE_FAULT);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].rip, entries[i]);
		expect_eq(peer.page->area[EXO_AREA_DOUBLE].cr2, entries[i]);
	}
	peer_end(&peer);
}

/* Timer interrupts cost no more for the deadlines that others have: see the case suite_latency. */
EXO_TEST(thousands_wait_for_the_same_instant, BIG)
{
	enum { MANY = 3000, BLOCK = 100 };
	static exo_slot env[MANY];
	static struct guest_frames f[MANY / BLOCK];
	exo_slot space = guest_claim("space");
	uint64_t end = exos_ns() + (guest_icount() ? 10 : 3) * SECOND;
	uint64_t until = exos_deadline(end - exos_ns());

	for (unsigned i = 0; i < MANY; i++) {
		struct guest_frames *at = &f[i / BLOCK];

		if (!(i % BLOCK))
			must_eq(guest_frames_make(at, BLOCK * EXO_FRAMES_ENV), 0);
		env[i] = guest_retype(at->slot, at->lo + i % BLOCK * EXO_FRAMES_ENV, EXO_KIND_ENV,
				      0);
		must(env[i] != 0);
		must_eq(exo_env_control(env[i], EXO_ENV_SPACE, space, 0), 0);
		must_eq(exo_env_control(env[i], EXO_ENV_START, (uint64_t)peer_sleep, until), 0);
		must_eq(exo_env_yield(env[i]), 0);
	}
	/* Those that our slice's end kept from it; who waits cannot be yielded to. */
	for (unsigned i = 0; i < MANY; i++) {
		int err = (int)exo_env_yield(env[i]);

		expect(err == 0 || err == -EXO_E_BUSY);
		if (exos_ns() < end)
			expect_error(exo_env_yield(env[i]), BUSY);
	}
	while (exos_ns() < end + SECOND / 10)
		guest_pause_ms(10);
	/* All were woken, and run to their end. */
	for (unsigned i = 0; i < MANY; i++)
		expect_eq(exo_env_yield(env[i]), 0);
	for (unsigned b = 0; b < MANY / BLOCK; b++)
		guest_frames_end(&f[b]);
}

EXO_TEST(five_thousand_environments, BIG)
{
	enum { MANY = 5000, BLOCK = 100 };
	static exo_slot env[MANY];
	static struct guest_frames f[MANY / BLOCK];
	exo_slot space = guest_claim("space");
	unsigned made = 0, exits = 0;

	for (unsigned b = 0; b < MANY / BLOCK; b++) {
		must_eq(guest_frames_make(&f[b], BLOCK * EXO_FRAMES_ENV), 0);
		for (unsigned i = 0; i < BLOCK; i++, made++) {
			env[made] = guest_retype(f[b].slot, f[b].lo + i * EXO_FRAMES_ENV,
						 EXO_KIND_ENV, 0);
			must(env[made] != 0);
			must_eq(exo_env_control(env[made], EXO_ENV_SPACE, space, 0), 0);
			must_eq(exo_env_control(env[made], EXO_ENV_START, (uint64_t)peer_quit, 0),
				0);
		}
	}
	expect_eq(made, MANY);
	/* Each runs, by our slice, to its end. */
	for (unsigned i = 0; i < MANY; i++)
		must_eq(exo_env_yield(env[i]), 0);
	/* Once more for those that our slice's end kept from it. */
	for (unsigned i = 0; i < MANY; i++)
		exo_env_yield(env[i]);
	for (unsigned i = 0; i < MANY; i += 97) {
		struct exo_env_page *page = exos_space_window(env[i], exos_cap_look(env[i])->lo + 1,
							      1,
							      EXO_R_READ, NULL);

		must(page != NULL);
		exits += page->stop_reason == EXO_STOP_EXIT;
		exos_space_window_end(page, 1);
	}
	expect_eq(exits, (MANY + 96) / 97);
	for (unsigned b = 0; b < MANY / BLOCK; b++)
		guest_frames_end(&f[b]);
}

EXO_TEST(environments_until_the_own_frames_end, LONG)
{
	struct guest_frames f;
	uint64_t made = 0;
	int err = 0;

	must_eq(guest_frames_make(&f, 1000), 0);
	for (exo_sid sid; (sid = exos_slot_alloc()); made++)
		if ((err = (int)exo_retype(f.slot, sid, f.lo + made * EXO_FRAMES_ENV, EXO_KIND_ENV,
					   0)) < 0)
			break;
	expect_eq(made, 1000 / EXO_FRAMES_ENV);
	expect_error(err, RANGE);
	guest_frames_end(&f);
}
