/* SPDX-License-Identifier: MIT */
/*
 * env_double.c - faults while upcalls are off: the double entry, and the end when that fails too.
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

static void do_ud2(struct peer *peer) { insn_ud2(); peer->word[1]++; }

/* A fault handler that faults itself. */
static void faulting_handler(struct peer *peer, struct exo_context *context)
{
	peer->word[2]++;
	insn_ud2();
	peer_note(peer, context);
}

/* Steps over the fault in the fault handler. */
static void double_handler(struct peer *peer, struct exo_context *context)
{
	peer->doubles++;
	peer->word[3] = context->vector;
	peer->word[4] = peer->page->upcalls_off;
	context->rip += INSN_UD2_BYTES;
}

EXO_TEST(a_fault_in_the_handler_goes_to_the_double_entry, SHORT)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, faulting_handler);
	peer_doubles(&peer, double_handler);
	peer.word[15] = INSN_UD2_BYTES;
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, do_ud2, 0), 0);
	must(peer_wait(&peer, 10000));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer.doubles, 1);
	expect_eq(peer.upcalls, 1);
	expect_eq(peer.word[1], 1);
	expect_eq(peer.word[3], 6);
	expect_eq(peer.word[4] != 0, 1);
	peer_end(&peer);
}

/* A double handler that faults itself, at once. */
static void faulting_double(struct peer *peer, struct exo_context *context)
{
	(void)context;
	peer->doubles++;
	insn_ud2();
}

EXO_TEST(a_fault_there_stops_it_and_tells_the_holder, SHORT)
{
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	peer_upcalls(&peer, faulting_handler);
	peer_doubles(&peer, faulting_double);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, do_ud2, 0), 0);
	must_eq(exos_event_wait(entry, exos_deadline(5 * SECOND)), 1);
	expect_eq(peer.page->stop_reason, EXO_STOP_FAULT);
	expect_eq(peer.page->area[EXO_AREA_DOUBLE].vector, 6);
	expect_eq(peer.doubles, 1);
	expect_eq(peer.upcalls, 0);
	peer_end(&peer);
}

EXO_TEST(without_a_double_entry_it_stops_too, SHORT)
{
	static const uint64_t entries[] = { 0, 1ull << 47, ~0ull, 0x200000000000 };
	uint32_t entry = exos_event_alloc();
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(exo_env_control(peer.env, EXO_ENV_WATCH, entry, 0), 0);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
		peer_upcalls(&peer, faulting_handler);
		peer.page->double_rip = entries[i];
		must_eq(peer_start(&peer, do_ud2, 0), 0);
		must_eq(exos_event_wait(entry, exos_deadline(5 * SECOND)), 1);
		expect_eq(peer.page->stop_reason, EXO_STOP_FAULT);
		expect_eq(peer.word[2], i + 1);
	}
	peer_end(&peer);
}

EXO_TEST(an_upcall_stack_that_lies_is_its_own_harm, SHORT)
{
	static const uint64_t stacks[] =
		{ 0, 8, 0x200000000000, 1ull << 47, ~0ull, 0xffffffff80001000 };
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	for (unsigned i = 0; i < ARRAY_LEN(stacks); i++) {
		peer_upcalls(&peer, peer_note);
		peer.page->upcall_rsp = peer.page->double_rsp = stacks[i];
		peer_doubles(&peer, double_handler);
		must_eq(peer_start(&peer, do_ud2, 0), 0);
		must(peer_wait(&peer, 10000));
		expect_eq(peer.page->stop_reason, EXO_STOP_FAULT);
		expect_eq(peer.upcalls, 0);
	}
	peer_end(&peer);
}

EXO_TEST(a_fault_in_the_resume_window_is_double, SHORT)
{
	struct peer peer;

	must_eq(peer_make(&peer), 0);
	peer_upcalls(&peer, peer_note);
	peer_doubles(&peer, double_handler);
	/* do_ud2 lies in the program's text: all of it is the window. */
	peer.page->resume_lo = EXOS_IMAGE_VA;
	peer.page->resume_hi = EXOS_IMAGE_END;
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, do_ud2, 0), 0);
	must(peer_wait(&peer, 10000));
	expect_eq(peer.page->stop_reason, EXO_STOP_EXIT);
	expect_eq(peer.doubles, 1);
	expect_eq(peer.upcalls, 0);
	peer_end(&peer);
}
