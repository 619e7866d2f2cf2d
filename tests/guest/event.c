/* SPDX-License-Identifier: MIT */
/*
 * event.c - event rings, doorbells, waiting and the alarm.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define SECOND  1000000000ull
#define MS      1000000ull

EXO_TEST(a_doorbell_posts_its_entry, SHORT)
{
	uint32_t entry = exos_event_alloc(), head = exos_page()->event_head;
	exo_slot bell = 0;

	must_eq(exos_cap_doorbell(entry, &bell), 0);
	expect_eq(exos_cap_look(bell)->kind, EXO_KIND_ENV);
	expect_eq(exos_cap_look(bell)->hi, entry + 1);
	expect_eq(exo_env_notify(bell), 0);
	expect_eq(exos_event_pending(entry), 1);
	expect_eq(exos_page()->event_head, head + 1);
	expect_eq(exos_page()->event_ring[head % EXO_EVENTS], entry);
	/* Further posts only count: the ring has one place for each entry. */
	for (unsigned i = 0; i < 1000; i++)
		expect_eq(exo_env_notify(bell), 0);
	expect_eq(exos_page()->event_head, head + 1);
	expect_eq(exos_event_take(entry), 1001);
	expect_eq(exos_event_take(entry), 0);
	expect_eq(exo_env_notify(bell), 0);
	expect_eq(exos_page()->event_head, head + 2);
	expect_eq(exos_event_take(entry), 1);
}

EXO_TEST(doorbells_are_checked, SHORT)
{
	exo_slot env = guest_claim("env"), bell = 0, weak;
	exo_sid sid = guest_sid();

	expect_error(exo_doorbell(env, sid, 0, EXO_R_NOTIFY), RANGE);
	expect_error(exo_doorbell(env, sid, EXO_EVENTS, EXO_R_NOTIFY), RANGE);
	expect_error(exo_doorbell(env, sid, ~0ull, EXO_R_NOTIFY), RANGE);
	/* A claim that is no doorbell posts nothing; a doorbell controls nothing. */
	expect_refused(exo_env_notify(env));
	must_eq(exos_cap_doorbell(exos_event_alloc(), &bell), 0);
	expect_error(exo_env_control(bell, EXO_ENV_STOP, 0, 0), RIGHTS);
	expect_refused(exo_doorbell(bell, sid, 99, EXO_R_NOTIFY));
	must((weak = guest_narrow(bell, 0, 0, 0)) != 0);
	expect_error(exo_env_notify(weak), RIGHTS);
	expect_eq(exo_env_notify(bell), 0);
	expect_eq(exos_cap_drop(weak), 0);
	expect_eq(exos_cap_drop(bell), 0);
	expect_error(exo_env_notify(bell), STALE);
}

EXO_TEST(all_entries_at_once_overflow_nothing, SHORT)
{
	exo_slot env = guest_claim("env"), bells[64];
	uint32_t head = exos_page()->event_head, first = 100;

	for (unsigned i = 0; i < 64; i++) {
		bells[i] = (exo_slot)exo_doorbell(env, guest_sid(), first + i, EXO_R_NOTIFY);
		must((int64_t)bells[i] > 0);
	}
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 64; i++)
			expect_eq(exo_env_notify(bells[i]), 0);
	expect_eq(exos_page()->event_head - head, 64);
	for (unsigned i = 0; i < 64; i++) {
		expect_eq(exos_page()->event_ring[(head + i) % EXO_EVENTS], first + i);
		expect_eq(exos_event_take(first + i), 20);
	}
}

EXO_TEST(wait_returns_at_once_if_the_ring_moved, SHORT)
{
	uint32_t entry = exos_event_alloc();
	uint64_t head = exos_page()->event_head, start, far = exos_deadline(60 * SECOND);
	exo_slot bell = 0;

	must_eq(exos_cap_doorbell(entry, &bell), 0);
	expect_eq(exo_env_notify(bell), 0);
	start = exos_tsc();
	expect_eq(exo_env_wait(head, far), head + 1);
	expect_eq(exo_env_wait(head, 0), head + 1);
	expect(exos_tsc_to_ns(exos_tsc() - start) < 5 * SECOND);
	exos_event_take(entry);
}

EXO_TEST(wait_ends_at_its_deadline, SHORT)
{
	uint64_t head = exos_page()->event_head, start = exos_tsc(), until = exos_deadline(30 * MS);

	expect_eq(exo_env_wait(head, until), head);
	expect(exos_tsc() >= until);
	expect(exos_tsc_to_ns(exos_tsc() - start) < 10 * SECOND);
	/* One that has passed does not block. */
	expect_eq(exo_env_wait(head, 1), head);
	expect_eq(exo_env_wait(head, start), head);
}

static void ring_bell(struct peer *peer)
{
	while (!__atomic_load_n(&peer->word[1], __ATOMIC_ACQUIRE))
		exo_env_yield(0);
	peer->word[2] = (uint64_t)exo_env_notify(peer->word[0]);
}

EXO_TEST(a_notify_wakes_who_waits, SHORT)
{
	uint32_t entry = exos_event_alloc();
	uint64_t head = exos_page()->event_head;
	exo_slot bell = 0;
	struct peer peer;
	int64_t given;

	must_eq(peer_make(&peer), 0);
	must_eq(exos_cap_doorbell(entry, &bell), 0);
	must((given = peer_give(&peer, 0, bell, EXO_R_NOTIFY)) > 0);
	peer.word[0] = (uint64_t)given;
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, ring_bell, 0), 0);
	peer.word[1] = 1;
	expect_eq(exo_env_wait(head, exos_deadline(10 * SECOND)), head + 1);
	expect_eq(exos_event_take(entry), 1);
	must(peer_wait(&peer, 5000));
	expect_eq(peer.word[2], 0);
	peer_end(&peer);
}

EXO_TEST(the_alarm_posts_entry_zero, SHORT)
{
	struct exo_env_page *page = exos_page();
	uint64_t head = page->event_head, at = exos_deadline(20 * MS);

	page->alarm_tsc = at;
	expect_eq(exo_env_alarm(), 0);
	expect_eq(exo_env_wait(head, exos_deadline(10 * SECOND)), head + 1);
	expect(exos_tsc() >= at);
	expect_eq(page->event_ring[head % EXO_EVENTS], 0);
	expect_eq(exos_event_take(0), 1);
	/* Taken back before it is due, it does not come. */
	page->alarm_tsc = exos_deadline(30 * MS);
	expect_eq(exo_env_alarm(), 0);
	page->alarm_tsc = 0;
	expect_eq(exo_env_alarm(), 0);
	expect_eq(exo_env_wait(page->event_head, exos_deadline(60 * MS)), page->event_head);
	expect_eq(exos_event_pending(0), 0);
}

static void wait_for_two(struct peer *peer)
{
	struct exo_env_page *page = peer->page;
	uint64_t seen = page->event_head;

	for (unsigned i = 0; i < 2; i++) {
		peer->word[3]++;
		seen = (uint64_t)exo_env_wait(seen, 0);
		__atomic_exchange_n(&page->event_count[5], 0, __ATOMIC_ACQ_REL);
	}
}

EXO_TEST(a_ring_page_full_of_lies_harms_only_its_owner, SHORT)
{
	struct peer peer;
	exo_slot bell;

	must_eq(peer_make(&peer), 0);
	bell = (exo_slot)exo_doorbell(peer.env, guest_sid(), 5, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, wait_for_two, 0), 0);
	must(guest_await(&peer.word[3], 1, 5000));
	expect_eq(exo_env_notify(bell), 0);
	must(guest_await(&peer.word[3], 2, 5000));
	/* Everything the page says of the ring is nonsense now. */
	peer.page->event_head = 0x87654321;
	peer.page->event_tail = 0xffffffff;
	for (unsigned i = 0; i < EXO_EVENTS; i++) {
		peer.page->event_ring[i] = 0xffff;
		peer.page->event_count[i] = i == 5 ? 0 : 0xffffffff;
	}
	peer.page->env_pfn = ~0ull;
	peer.page->space_pfn = ~0ull;
	peer.page->cpu = ~0u;
	peer.page->slot = ~0u;
	peer.page->stop_reason = EXO_STOP_RUNS;
	expect_eq(exo_env_notify(bell), 0);
	expect(peer_wait(&peer, 10000));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	peer_end(&peer);
}

/* Arm the alarm and turn until its upcall came; again when it came while another was on the CPU. */
static void spin_for_alarm(struct peer *peer)
{
	while (!__atomic_load_n(&peer->upcalls, __ATOMIC_ACQUIRE)) {
		__atomic_exchange_n(&peer->page->event_count[0], 0, __ATOMIC_ACQ_REL);
		peer->page->alarm_tsc = insn_tsc() + peer->word[1];
		exo_env_alarm();
		while (!__atomic_load_n(&peer->upcalls, __ATOMIC_ACQUIRE) &&
		       insn_tsc() < peer->page->alarm_tsc + peer->word[1])
			peer->word[0]++;
	}
}

EXO_TEST(an_event_interrupts_who_wants_it, SHORT)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, peer_note);
	peer.page->event_rip = (uint64_t)peer_upcall;
	peer.word[1] = exos_ns_to_tsc(MS);
	must_eq(peer_slots(&peer, HERE, 0, 4), 0);
	must_eq(peer_start(&peer, spin_for_alarm, 0), 0);
	expect(peer_wait(&peer, 10000));
	expect_eq(peer.upcalls, 1);
	expect_eq(peer.seen.vector, EXO_TRAP_EVENT);
	peer_end(&peer);
}

static void spin_for_post(struct peer *peer)
{
	peer->word[3] = 1;
	while (!__atomic_load_n(&peer->upcalls, __ATOMIC_ACQUIRE))
		peer->word[0]++;
}

/* A post to a program that is running there (cpu), or that waits for its slot (our own CPU). */
static void post_to(uint32_t cpu)
{
	struct peer peer;
	exo_slot bell;

	must_eq(peer_make(&peer), 0);
	bell = (exo_slot)exo_doorbell(peer.env, guest_sid(), 7, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	peer_upcalls(&peer, peer_note);
	peer.page->event_rip = (uint64_t)peer_upcall;
	must_eq(peer_slots(&peer, cpu, 0, 4), 0);
	must_eq(peer_start(&peer, spin_for_post, 0), 0);
	must(guest_await(&peer.word[3], 1, 10000));
	expect_eq(exo_env_notify(bell), 0);
	expect(peer_wait(&peer, 10000));
	expect_eq(peer.upcalls, 1);
	expect_eq(peer.seen.vector, EXO_TRAP_EVENT);
	peer_end(&peer);
}

EXO_TEST(a_post_to_who_is_not_on_a_cpu_is_not_lost, SHORT)
{
	post_to(HERE);
}

EXO_TEST(a_post_interrupts_another_cpu, SMP)
{
	post_to((HERE + 1) % exos_machine()->cpus);
}
