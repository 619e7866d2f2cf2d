/* SPDX-License-Identifier: MIT */
/*
 * event_upcall.c - upcalls for events that come when nobody interrupts: posted by the program
 * itself, due already, at the very end of a slot; and waits that end at once.
 */
#include <exos/call.h>
#include <exos/event.h>
#include <exos/start.h>
#include <exos/time.h>

#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE (exos_page()->cpu)
#define MS   1000000ul
#define BELL 0          /* which of its slots a peer's doorbell is in */

/* Turn for some slots, or until the upcall came: word[2] tells after how many ticks. */
static void turn_a_while(struct peer *peer, uint64_t start)
{
	while (!__atomic_load_n(&peer->upcalls, __ATOMIC_ACQUIRE) &&
	       insn_tsc() < start + peer->word[1])
		peer->word[0]++;
	peer->word[2] = insn_tsc() - start;
}

static void post_to_oneself(struct peer *peer)
{
	uint64_t start = insn_tsc();

	exo_env_notify(exo_slot_make(peer->sid + BELL, peer->slots[BELL].gen));
	turn_a_while(peer, start);
}

static void alarm_already_due(struct peer *peer)
{
	uint64_t start = insn_tsc();

	peer->page->alarm_tsc = start - 1;
	exo_env_alarm();
	turn_a_while(peer, start);
}

/* The alarm's interrupt is the slot's end too. */
static void alarm_at_the_slots_end(struct peer *peer)
{
	uint64_t start = insn_tsc();

	peer->page->alarm_tsc = peer->page->slice_end_tsc - 1;
	exo_env_alarm();
	turn_a_while(peer, start);
}

static void upcall_comes(peer_main *start)
{
	struct peer peer;
	exo_slot bell;

	must_eq(peer_make(&peer), 0);
	bell = (exo_slot)exo_doorbell(peer.env, guest_sid(), 7, EXO_R_NOTIFY);
	must((int64_t)bell > 0);
	must(peer_give(&peer, BELL, bell, EXO_R_NOTIFY) > 0);
	peer_upcalls(&peer, peer_note);
	peer.page->event_rip = peer.page->fault_rip;
	peer.word[1] = exos_ns_to_tsc(500 * MS);
	must_eq(peer_slots(&peer, HERE, 0, 4), 0);
	must_eq(peer_start(&peer, start, 0), 0);
	expect(peer_wait(&peer, 20000));
	expect_eq(peer.upcalls, 1);
	expect_eq(peer.seen.vector, EXO_TRAP_EVENT);
	peer_end(&peer);
}

EXO_TEST(a_post_to_oneself_is_an_upcall, SHORT)
{
	upcall_comes(post_to_oneself);
}

EXO_TEST(an_alarm_already_due_is_an_upcall, SHORT)
{
	upcall_comes(alarm_already_due);
}

EXO_TEST(an_alarm_at_the_slots_end_is_an_upcall, SHORT)
{
	upcall_comes(alarm_at_the_slots_end);
}

/* A deadline may pass while the wait is being set up: the wait ends all the same. */
EXO_TEST(waits_with_near_deadlines_all_end, SHORT)
{
	uint64_t head = exos_page()->event_head, ended = 0;

	for (; ended < 20000; ended++)
		head = exo_env_wait(head, insn_tsc() + ended % 4000);
	expect_eq(head, exos_page()->event_head);
}
