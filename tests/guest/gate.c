/* SPDX-License-Identifier: MIT */
/*
 * gate.c - protected control transfer: what goes over, what does not, and who may be inside.
 */
#include <base/util.h>
#include <exo/gate.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/start.h>
#include <exos/time.h>
#include "guest.h"
#include "peer.h"
#include "x86/insn.h"

#define HERE    (exos_page()->cpu)
#define SECOND  1000000000ull
#define MS      1000000ull

static struct peer_gate_frame entered;  /* the last call, as it came in */
static volatile uint64_t calls, hold, waiting;

/* A server: blocked in env_wait, where calls enter it. */
static void wait_for_calls(struct peer *peer)
{
	waiting = 1;
	for (;;)
		exo_env_wait(peer->page->event_head, 0);
}

/* Make a peer that serves gates with this function, and a gate to it in our table. */
static exo_slot serve(struct peer *peer, peer_service *service, uint32_t badge)
{
	waiting = 0;
	if (!expect_eq(peer_make(peer), 0) || !expect_eq(peer_slots(peer, HERE, 0, 2), 0))
		return 0;
	peer_serve(peer, service);
	if (!expect_eq(peer_start(peer, wait_for_calls, 0), 0) ||
	    !expect(guest_await(&waiting, 1, 5000)))
		return 0;
	guest_pause_ms(5);
	return (exo_slot)exo_gate_make(peer->env, guest_sid(), (uint64_t)peer_gate, badge);
}

static void note_and_add(struct peer_gate_frame *frame)
{
	entered = *frame;
	calls++;
	frame->rdi = 1000 + frame->rdi;
	frame->rsi = 0;
	for (unsigned i = 0; i < EXO_GATE_WORDS; i++)
		frame->word[i] += 1;
}

EXO_TEST(eight_words_go_over_and_come_back, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	struct peer peer;
	exo_slot gate = serve(&peer, note_and_add, 55);

	must((int64_t)gate > 0);
	for (unsigned i = 0; i < EXO_GATE_WORDS; i++)
		m.word[i] = 0xc0de000000000000 + i;
	expect_eq(exos_gate_call_once(gate, &m), 1055);
	for (unsigned i = 0; i < EXO_GATE_WORDS; i++) {
		expect_eq(entered.word[i], 0xc0de000000000000 + i);
		expect_eq(m.word[i], 0xc0de000000000001 + i);
	}
	expect_eq(m.cap, 0);
	expect_eq(entered.rdi, 55);
	expect_eq(entered.rsi, 0);
	/* Everything else is zero: nothing of the caller's is seen. */
	expect_eq(entered.rbx, 0);
	expect_eq(entered.rbp, 0);
	expect_eq(entered.rax, 0);
	expect_eq(entered.r11 & ~0x202ull, 0);
	expect_eq(entered.rflags & 0x400, 0);
	expect(entered.rcx == 0 || entered.rcx == (uint64_t)peer_gate);
	for (unsigned i = 0; i < 100; i++)
		expect_eq(exos_gate_call_once(gate, &m), 1055);
	peer_end(&peer);
}

EXO_TEST(vector_registers_are_not_given_away, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	uint64_t secret = 0x5ec2e7c0ffee;
	struct peer peer;
	exo_slot gate = serve(&peer, note_and_add, 1);

	must((int64_t)gate > 0);
	insn_xmm_set(secret);
	expect_eq(exos_gate_call_once(gate, &m), 1001);
	expect_eq(insn_xmm0(), secret);
	expect_eq(insn_xmm15(), secret);
	expect(entered.xmm0 != secret);
	expect(entered.xmm15 != secret);
	peer_end(&peer);
}

EXO_TEST(gates_are_checked, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	exo_sid sid = guest_sid();
	struct peer peer;
	exo_slot gate = serve(&peer, note_and_add, 1), weak, none;

	must((int64_t)gate > 0);
	expect_eq(exos_cap_look(gate)->kind, EXO_KIND_GATE);
	expect_eq(exos_cap_look(gate)->badge, 1);
	expect_error(exo_gate_make(peer.env, sid, EXO_USER_TOP, 1), RANGE);
	expect_error(exo_gate_make(peer.env, sid, ~0ull, 1), RANGE);
	must((weak = guest_narrow(gate, 0, 0, 0)) != 0);
	expect_error(exos_gate_call_once(weak, &m), RIGHTS);
	expect_error(exos_gate_call_once(peer.env, &m), KIND);
	expect_error(exos_gate_call_once(gate + (1ull << 32), &m), STALE);
	none = gate;
	expect_eq(exos_gate_call_once(none, &m), 1001);
	expect_eq(exos_cap_drop(gate), 0);
	expect_error(exos_gate_call_once(none, &m), STALE);
	peer_end(&peer);
}

/* Stay inside until told. */
static void stay_inside(struct peer_gate_frame *frame)
{
	calls++;
	waiting = 2;
	while (hold)
		exo_env_yield(0);
	frame->rdi = 7;
	frame->rsi = 0;
}

static void call_gate(struct peer *peer)
{
	struct exos_gate_message m = { .cap = 0 };

	peer->word[3] = (uint64_t)exos_gate_call_once(peer->word[0], &m);
	peer->word[4] = 1;
}

EXO_TEST(one_caller_at_a_time_is_inside, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	struct peer peer, caller;
	exo_slot gate;
	int64_t given;

	calls = 0;
	hold = 1;
	must((int64_t)(gate = serve(&peer, stay_inside, 1)) > 0);
	must_eq(peer_make(&caller), 0);
	must((given = peer_give(&caller, 0, gate, EXO_R_CALL)) > 0);
	caller.word[0] = (uint64_t)given;
	must_eq(peer_slots(&caller, HERE, 2, 2), 0);
	must_eq(peer_start(&caller, call_gate, 0), 0);
	must(guest_await(&waiting, 2, 10000));
	expect_error(exos_gate_call_once(gate, &m), BUSY);
	expect_eq(calls, 1);
	hold = 0;
	/* Helping: we lend our slice to the callee by the gate's name until it answers us. */
	for (unsigned i = 0; i < 1000 && !caller.word[4]; i++)
		exo_env_yield(gate);
	must(guest_await(&caller.word[4], 1, 10000));
	expect_eq(caller.word[3], 7);
	expect_eq(exos_gate_call(gate, &m), 7);
	peer_end(&caller);
	peer_end(&peer);
}

EXO_TEST(a_callee_that_dies_gives_its_caller_an_error, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	struct peer peer, caller;
	exo_slot gate;
	int64_t given;

	hold = 1;
	must((int64_t)(gate = serve(&peer, stay_inside, 1)) > 0);
	must_eq(peer_make(&caller), 0);
	must((given = peer_give(&caller, 0, gate, EXO_R_CALL)) > 0);
	caller.word[0] = (uint64_t)given;
	must_eq(peer_slots(&caller, HERE, 2, 2), 0);
	must_eq(peer_start(&caller, call_gate, 0), 0);
	must(guest_await(&waiting, 2, 10000));
	while (exo_env_control(peer.env, EXO_ENV_STOP, 0, 0) == EXO_MORE)
		continue;
	must(guest_await(&caller.word[4], 1, 10000));
	expect_error(caller.word[3], ENDED);
	expect_error(exos_gate_call_once(gate, &m), ENDED);
	expect(peer_wait(&caller, 5000));
	peer_end(&caller);
	peer_end(&peer);
	expect_error(exos_gate_call_once(gate, &m), STALE);
}

EXO_TEST(the_callers_alarm_cuts_the_call, LONG)
{
	struct exos_gate_message m = { .cap = 0 };
	struct exo_env_page *page = exos_page();
	struct peer peer;
	exo_slot gate;
	uint64_t start;

	hold = 1;
	must((int64_t)(gate = serve(&peer, stay_inside, 1)) > 0);
	start = exos_tsc();
	page->alarm_tsc = exos_deadline(50 * MS);
	expect_error(exos_gate_call_once(gate, &m), TIME);
	expect(exos_tsc_to_ns(exos_tsc() - start) >= 50 * MS);
	page->alarm_tsc = 0;
	exo_env_alarm();
	exos_event_take(0);
	/* It is still inside, and answers nobody until it has returned. */
	expect_error(exos_gate_call_once(gate, &m), BUSY);
	hold = 0;
	expect_eq(exos_gate_call(gate, &m), 7);
	peer_end(&peer);
}

static exo_slot passed_in;

static void take_and_pass(struct peer_gate_frame *frame)
{
	passed_in = frame->rsi;
	frame->rdi = 0;
}

EXO_TEST(a_claim_goes_over_and_back, SHORT)
{
	struct exos_gate_message m = { .cap = 0 };
	struct exo_env_page *page = exos_page();
	struct guest_frames f;
	struct peer peer;
	exo_slot gate;

	must_eq(guest_frames_make(&f, 1), 0);
	must((int64_t)(gate = serve(&peer, take_and_pass, 1)) > 0);
	/* The callee opened no slot: the call is not made. */
	peer.page->gate_open = 0;
	m.cap = f.slot;
	expect_error(exos_gate_call_once(gate, &m), SLOT);
	/* A claim that is none. */
	m.cap = f.slot + (5ull << 32);
	expect_error(exos_gate_call_once(gate, &m), STALE);
	/* Both opened one: there and back again. */
	peer.page->gate_open = peer.sid + 9;
	page->gate_open = guest_sid();
	m.cap = f.slot;
	expect_eq(exos_gate_call_once(gate, &m), 0);
	expect_eq(exo_slot_sid(passed_in), peer.sid + 9);
	expect_eq(peer.slots[9].kind, EXO_KIND_FRAME);
	expect_eq(peer.slots[9].parent, exo_slot_sid(f.slot));
	expect_eq(exo_slot_sid(m.cap), page->gate_open);
	must(exos_cap_look(m.cap) != NULL);
	expect_eq(exos_cap_look(m.cap)->parent, peer.sid + 9);
	expect_eq(guest_holder(f.lo), page->gate_open);
	page->gate_open = 0;
	expect_eq(exos_cap_revoke(f.slot), 0);
	peer_end(&peer);
}

EXO_TEST(returning_without_a_call_is_refused, SHORT)
{
	expect_error(insn_switch2(EXO_CALL_gate_return, 0, 0), ARG);
	expect_eq(exo_version(), EXO_ABI_MAJOR << 16 | EXO_ABI_MINOR);
}

static exo_slot own_gate;

static void call_oneself(struct peer *peer)
{
	call_gate(peer);
}

EXO_TEST(nobody_calls_a_gate_of_its_own, SHORT)
{
	struct peer peer;
	int64_t given;

	must_eq(peer_make(&peer), 0);
	peer_serve(&peer, note_and_add);
	own_gate = (exo_slot)exo_gate_make(peer.env, guest_sid(), (uint64_t)peer_gate, 3);
	must((int64_t)own_gate > 0);
	must((given = peer_give(&peer, 0, own_gate, EXO_R_CALL)) > 0);
	peer.word[0] = (uint64_t)given;
	must_eq(peer_slots(&peer, HERE, 0, 2), 0);
	must_eq(peer_start(&peer, call_oneself, 0), 0);
	must(guest_await(&peer.word[4], 1, 10000));
	expect_error(peer.word[3], BUSY);
	peer_end(&peer);
}
