/* SPDX-License-Identifier: MIT */
/*
 * env_slice.c - the end of a slice: told at the next beginning, or resumed unchanged with upcalls
 * off or within the resume window; put off once.
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

static volatile uint32_t stop_spinning;

/* Turn in assembly with values in registers until told to stop; the answer in word[5]. */
static void spin_checked(struct peer *peer)
{
	if (peer->word[6])
		peer->page->upcalls_off = 1;
	peer->word[7] = peer->upcalls;          /* of a slice that ended before it came here */
	peer->word[5] = peer_spin(&peer->word[0], &stop_spinning);
	peer->page->upcalls_off = 0;
}

static void count_slices(struct peer *peer, struct exo_context *context)
{
	if (context->vector == EXO_TRAP_SLICE)
		peer->upcalls++;
	peer->seen = *context;
}

/* Let two spinning peers share slots until both were preempted so often. */
static bool spin_together(struct peer *a, struct peer *b, uint64_t times)
{
	uint64_t end = exos_deadline(20 * SECOND);

	stop_spinning = 0;
	if (!expect_eq(peer_slots(a, HERE, 0, 2), 0) || !expect_eq(peer_slots(b, HERE, 2, 2), 0) ||
	    !expect_eq(peer_start(a, spin_checked, 0), 0) ||
		    !expect_eq(peer_start(b, spin_checked, 0), 0))
		return false;
	while ((a->page->preempted < times || b->page->preempted < times) && exos_tsc() < end)
		exos_sleep(SECOND / 50);
	return expect(a->page->preempted >= times && b->page->preempted >= times);
}

/* Let both come to their end and look at their registers. */
static void spin_end(struct peer *a, struct peer *b)
{
	stop_spinning = 1;
	expect(peer_wait(a, 10000));
	expect(peer_wait(b, 10000));
	expect_eq(a->page->stop_reason, EXO_STOP_EXIT);
	expect_eq(a->word[5], 0);
	expect_eq(b->word[5], 0);
}

EXO_TEST(a_slice_begins_with_an_upcall, LONG)
{
	struct peer a, b;

	must_eq(peer_make(&a), 0);
	must_eq(peer_make(&b), 0);
	peer_upcalls(&a, count_slices);
	peer_slices(&a, true);
	must(spin_together(&a, &b, 4));
	spin_end(&a, &b);
	expect(a.upcalls >= 3);
	expect(a.upcalls <= a.page->preempted);
	expect_eq(a.seen.vector, EXO_TRAP_SLICE);
	expect_eq(b.upcalls, 0);
	expect(b.page->preempted > 0);
	peer_end(&a);
	peer_end(&b);
}

EXO_TEST(with_upcalls_off_a_slice_end_changes_nothing, LONG)
{
	struct peer a, b;

	must_eq(peer_make(&a), 0);
	must_eq(peer_make(&b), 0);
	peer_upcalls(&a, count_slices);
	peer_slices(&a, true);
	a.word[6] = 1;
	must(spin_together(&a, &b, 4));
	expect_eq(a.upcalls, a.word[7]);
	expect(a.page->area[EXO_AREA_FROZEN].rip >= (uint64_t)peer_spin_lo &&
	       a.page->area[EXO_AREA_FROZEN].rip < (uint64_t)peer_spin_hi);
	spin_end(&a, &b);
	expect_eq(a.upcalls, a.word[7]);
	expect(a.word[7] <= 1);
	peer_end(&a);
	peer_end(&b);
}

EXO_TEST(the_resume_window_counts_as_upcalls_off, LONG)
{
	struct peer a, b;

	must_eq(peer_make(&a), 0);
	must_eq(peer_make(&b), 0);
	peer_upcalls(&a, count_slices);
	peer_slices(&a, true);
	a.page->resume_lo = (uint64_t)peer_spin_lo;
	a.page->resume_hi = (uint64_t)peer_spin_hi;
	must(spin_together(&a, &b, 4));
	expect_eq(a.upcalls, 0);
	spin_end(&a, &b);
	peer_end(&a);
	peer_end(&b);
}

/* Keep putting off the end of the slice, never yielding. */
static void critical_spin(struct peer *peer)
{
	while (!stop_spinning) {
		peer->page->critical = 1;
		peer->word[0]++;
		if (peer->page->owed) {
			peer->word[7]++;
			peer->page->critical = 0;
			exo_env_yield(0);
		}
	}
}

/* The same, but deaf: it never yields what it owes. */
static void greedy_spin(struct peer *peer)
{
	peer->page->critical = 1;
	while (!stop_spinning)
		peer->word[0]++;
}

EXO_TEST(a_slice_end_is_put_off_once, LONG)
{
	struct peer polite, greedy;
	uint64_t end = exos_deadline(20 * SECOND);

	stop_spinning = 0;
	must_eq(peer_make(&polite), 0);
	must_eq(peer_make(&greedy), 0);
	must_eq(peer_slots(&polite, HERE, 0, 2), 0);
	must_eq(peer_slots(&greedy, HERE, 2, 2), 0);
	must_eq(peer_start(&polite, critical_spin, 0), 0);
	must_eq(peer_start(&greedy, greedy_spin, 0), 0);
	while ((polite.word[7] < 2 || greedy.page->preempted < 2) && exos_tsc() < end)
		exos_sleep(SECOND / 50);
	expect(polite.word[7] >= 2);
	expect(greedy.page->preempted >= 2);
	expect_eq(greedy.page->owed, 1);
	stop_spinning = 1;
	expect(peer_wait(&polite, 10000));
	expect(peer_wait(&greedy, 10000));
	peer_end(&polite);
	peer_end(&greedy);
}
