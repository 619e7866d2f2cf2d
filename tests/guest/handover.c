/* SPDX-License-Identifier: MIT */
/*
 * handover.c - the CPU goes over by a claim that was used before: what the kernel kept of it ends
 * with the claim; and a post and a wait in one call.
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/gate.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>

#include "guest.h"
#include "peer.h"

#define HERE   (exos_page()->cpu)
#define SECOND 1000000000ull
#define MS     1000000ull
#define BELL   9u               /* the peer's event entry */
#define ROUNDS 200u
#define GATES  11u              /* more than the kernel keeps */

static volatile uint64_t waiting;

static void wait_for_calls(struct peer *peer)
{
	waiting = 1;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

static void add_badge(struct peer_gate_frame *frame)
{
	frame->rdi += 1000;
	frame->rsi = 0;
}

static bool serve(struct peer *peer)
{
	waiting = 0;
	if (!expect_eq(peer_make(peer), 0))
		return false;
	peer_serve(peer, add_badge);
	if (!expect_eq(peer_slots(peer, HERE, 0, 2), 0) ||
	    !expect_eq(peer_start(peer, wait_for_calls, 0), 0) ||
	    !expect(guest_await(&waiting, 1, 5000)))
		return false;
	guest_pause_ms(5);
	return true;
}

static exo_slot gate_make(const struct peer *peer, exo_sid sid, uint64_t badge)
{
	return (exo_slot)exo_gate_make(peer->env, sid, (uint64_t)peer_gate, badge);
}

EXO_TEST(many_gates_are_told_apart, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	exo_slot gate[GATES];
	struct peer peer;

	must(serve(&peer));
	for (unsigned i = 0; i < GATES; i++)
		must((int64_t)(gate[i] = gate_make(&peer, guest_sid(), i)) > 0);
	for (unsigned i = 0; i < 6 * GATES; i++)
		for (unsigned again = 0; again < 2; again++)
			expect_eq(exos_gate_call_once(gate[i * i % GATES], &m),
				  1000 + i * i % GATES);
	peer_end(&peer);
}

EXO_TEST(a_gate_that_was_called_is_gone_when_it_is_dropped, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	exo_sid sid = guest_sid();
	struct peer peer;
	exo_slot first, second;

	must(serve(&peer));
	must((int64_t)(first = gate_make(&peer, sid, 1)) > 0);
	for (unsigned i = 0; i < 3; i++)
		expect_eq(exos_gate_call_once(first, &m), 1001);
	expect_eq(exos_cap_drop(first), 0);
	expect_error(exos_gate_call_once(first, &m), STALE);
	must((int64_t)(second = gate_make(&peer, sid, 2)) > 0);
	expect_error(exos_gate_call_once(first, &m), STALE);
	for (unsigned i = 0; i < 3; i++)
		expect_eq(exos_gate_call_once(second, &m), 1002);
	expect_error(exos_gate_call_once(first, &m), STALE);
	/* Numbers that are no names. */
	expect_error(exos_gate_call_once(0, &m), STALE);
	expect_error(exos_gate_call_once(~0ull, &m), STALE);
	expect_error(exos_gate_call_once(1ull << 63, &m), STALE);
	expect_error(exos_gate_call_once(second | 1ull << 63, &m), STALE);
	peer_end(&peer);
}

/* What stands in a slot of a table that only the test knows. */
static bool slot_read(exo_slot table, uint64_t pfn, unsigned index, struct exo_cap *cap)
{
	int err = 0;
	const struct exo_cap *at = exos_space_window(table, pfn, 1, EXO_R_READ, &err);

	if (!expect(at != NULL))
		return false;
	*cap = at[index];
	exos_space_window_end((void *)(uintptr_t)at, 1);
	return true;
}

/* Write the gate's generation, and all else that it had, where its slot was. */
static bool slot_forge(const struct guest_frames *f, const struct exo_cap *was, unsigned index)
{
	int err = 0;
	struct exo_cap *at = exos_space_window(f->slot, f->lo, 1, GUEST_RW, &err);

	if (!expect(at != NULL))
		return false;
	at[index] = *was;
	exos_space_window_end(at, 1);
	return true;
}

EXO_TEST(a_table_that_ended_lends_no_names, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	struct guest_frames f;
	struct exo_cap was;
	struct peer peer;
	exo_slot table, gate, again;

	must(serve(&peer));
	must_eq(guest_frames_make(&f, 1), 0);
	must((table = guest_retype(f.slot, f.lo, EXO_KIND_TABLE, guest_claim("env"))) != 0);
	gate = gate_make(&peer, (exo_sid)f.lo * EXO_SLOTS_PER_FRAME + 5, 7);
	must((int64_t)gate > 0);
	for (unsigned i = 0; i < 3; i++)
		expect_eq(exos_gate_call_once(gate, &m), 1007);
	must(slot_read(table, f.lo, 5, &was));
	expect_eq(was.kind, EXO_KIND_GATE);
	expect_eq(was.gen, exo_slot_gen(gate));
	expect_eq(exos_cap_end(table), 0);
	expect_error(exos_gate_call_once(gate, &m), STALE);
	must(slot_forge(&f, &was, 5));
	expect_error(exos_gate_call_once(gate, &m), STALE);
	/* Others are found as before. */
	must((int64_t)(again = gate_make(&peer, guest_sid(), 8)) > 0);
	expect_eq(exos_gate_call_once(again, &m), 1008);
	guest_frames_end(&f);
	peer_end(&peer);
}

static void yield_back(struct peer *peer)
{
	for (;;) {
		peer->word[1]++;
		exo_env_yield(peer->word[0]);
	}
}

EXO_TEST(yields_end_with_their_claim, SHORT)
{
	struct peer peer;
	int64_t back;
	exo_slot to;
	uint64_t turns;

	must_eq(peer_make(&peer), 0);
	must((back = peer_give(&peer, 0, guest_claim("env"), EXO_R_RUN)) > 0);
	peer.word[0] = (uint64_t)back;
	must_eq(peer_slots(&peer, HERE, 0, 1), 0);
	must_eq(peer_start(&peer, yield_back, 0), 0);
	must(guest_await(&peer.word[1], 1, 5000));
	must((to = guest_narrow(peer.env, 0, 0, EXO_R_RUN)) != 0);
	turns = peer.word[1];
	for (unsigned i = 0; i < ROUNDS; i++)
		expect_eq(exo_env_yield(to), 0);
	expect(peer.word[1] >= turns + ROUNDS);
	expect_eq(exos_cap_drop(to), 0);
	turns = peer.word[1];
	expect_error(exo_env_yield(to), STALE);
	expect(peer.word[1] <= turns + 1);
	peer_end(&peer);
}

/* Posts back for each post, in one call with the wait for the next. */
static void answer_posts(struct peer *peer)
{
	for (;;) {
		uint64_t seen = peer->page->event_head;

		if (!__atomic_exchange_n(&peer->page->event_count[BELL], 0, __ATOMIC_ACQ_REL)) {
			exo_env_wait(seen, 0);
			continue;
		}
		peer->word[1]++;
		exo_env_notify_wait(peer->word[0], seen, 0);
	}
}

/* A peer that answers; `bell` posts to it, and it posts to `entry`. */
static bool answerer(struct peer *peer, exo_slot *bell, uint32_t entry)
{
	exo_slot own = 0;
	int64_t given;

	if (!expect_eq(peer_make(peer), 0) || !expect_eq(exos_cap_doorbell(entry, &own), 0))
		return false;
	given = peer_give(peer, 0, own, EXO_R_NOTIFY);
	*bell = (exo_slot)exo_doorbell(peer->env, guest_sid(), BELL, EXO_R_NOTIFY);
	peer->word[0] = (uint64_t)given;
	return expect(given > 0) && expect((int64_t)*bell > 0) &&
	       expect_eq(peer_slots(peer, HERE, 0, 2), 0) &&
	       expect_eq(peer_start(peer, answer_posts, 0), 0);
}

EXO_TEST(posts_with_a_wait_are_answered, SHORT)
{
	uint32_t entry = exos_event_alloc();
	exo_slot bell = 0;
	struct peer peer;

	must(answerer(&peer, &bell, entry));
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t seen = exos_page()->event_head;

		must_eq(exo_env_notify_wait(bell, seen, 0), seen + 1);
		must_eq(exos_event_take(entry), 1);
		must_eq(peer.word[1], i + 1);
	}
	peer_end(&peer);
}

EXO_TEST(a_post_with_a_wait_ends_as_a_wait_does, SHORT)
{
	uint32_t entry = exos_event_alloc(), head = exos_page()->event_head;
	uint64_t until;
	exo_slot bell = 0;

	/* The own bell: the ring moves past what was seen. */
	must_eq(exos_cap_doorbell(entry, &bell), 0);
	expect_eq(exo_env_notify_wait(bell, head, 0), head + 1);
	expect_eq(exo_env_notify_wait(bell, head, 0), head + 1);
	expect_eq(exos_event_take(entry), 2);
	/* A deadline, and an alarm. */
	expect_eq(exo_env_notify(bell), 0);
	until = exos_deadline(20 * MS);
	expect_eq(exo_env_notify_wait(bell, head + 2, until), head + 2);
	expect(exos_tsc() >= until);
	expect_eq(exos_event_take(entry), 2);
	exos_page()->alarm_tsc = exos_deadline(20 * MS);
	expect_eq(exo_env_notify(bell), 0);
	expect_eq(exo_env_notify_wait(bell, head + 3, exos_deadline(10 * SECOND)), head + 4);
	expect_eq(exos_event_take(0), 1);
	expect_eq(exos_event_take(entry), 2);
	exos_page()->alarm_tsc = 0;
	expect_eq(exo_env_alarm(), 0);
}

EXO_TEST(a_post_with_a_wait_is_checked, SHORT)
{
	uint32_t entry = exos_event_alloc(), head;
	exo_slot bell = 0, weak;
	struct peer peer;

	must(answerer(&peer, &bell, entry));
	head = exos_page()->event_head;
	for (unsigned i = 0; i < 3; i++) {
		expect_eq(exo_env_notify_wait(bell, head + i, 0), head + i + 1);
		expect_eq(exos_event_take(entry), 1);
	}
	expect_error(exo_env_notify_wait(guest_claim("env"), head, 0), ARG);
	expect_error(exo_env_notify_wait(guest_claim("memory"), head, 0), KIND);
	must((weak = guest_narrow(bell, 0, 0, 0)) != 0);
	expect_error(exo_env_notify_wait(weak, head + 3, 0), RIGHTS);
	expect_eq(exos_cap_drop(weak), 0);
	expect_eq(exos_cap_drop(bell), 0);
	/* Nothing is waited for, though nothing came. */
	expect_error(exo_env_notify_wait(bell, exos_page()->event_head, 0), STALE);
	peer_end(&peer);
}

/* The only one that could answer is stopped: the wait is for others. */
EXO_TEST(a_post_to_the_stopped_wakes_nobody, SHORT)
{
	uint32_t entry = exos_event_alloc(), head;
	exo_slot bell = 0;
	struct peer peer;

	must(answerer(&peer, &bell, entry));
	head = exos_page()->event_head;
	expect_eq(exo_env_notify_wait(bell, head, 0), head + 1);
	expect_eq(exos_event_take(entry), 1);
	while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		exo_env_yield(0);
	expect_eq(exo_env_notify_wait(bell, head + 1, exos_deadline(20 * MS)), head + 1);
	expect_eq(peer.page->event_count[BELL], 1);
	expect_eq(exo_env_notify_wait(bell, head + 1, exos_deadline(20 * MS)), head + 1);
	expect_eq(peer.page->event_count[BELL], 2);
	peer_end(&peer);
}
