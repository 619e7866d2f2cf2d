/* SPDX-License-Identifier: MIT */
/*
 * shared.c - what does it cost to have another program answer: by a word in a page that both see,
 * and by a procedure call with four arguments?
 *
 * Both ends stand here: the other one is this program, started twice (peer.h).
 */
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/space.h>
#include <exos/spawn.h>

#include "bench.h"
#include "peer.h"

#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)
#define ARGUMENTS  4u

/* The page that both ends see. */
struct mailbox {
	uint64_t question, answer;
};

static volatile struct mailbox *box;
static uint64_t pfn;
static exo_slot bell, gate;
static uint64_t last;           /* right answers of a run */

/* The other end: an answer is the question plus one. */
void bench_shared_answer(exo_slot to)
{
	const struct exos_grant *g = exos_grant("page", 0);

	box = exos_space_window(g->slot, g->lo, 1, READ_WRITE, NULL);
	exos_page()->exit_code = box != NULL;
	for (;;) {
		uint64_t seen = exos_page()->event_head;

		if (!exos_event_take(PEER_ENTRY)) {
			exo_env_wait(seen, 0);
			continue;
		}
		box->answer = box->question + 1;
		exo_env_notify_wait(to, seen, 0);
	}
}

uint64_t bench_shared_add(const uint64_t *word)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ARGUMENTS; i++)
		sum += word[i];
	return sum;
}

static const char *rounds_check(uint32_t rounds)
{
	return last == rounds ? NULL : "not every round was answered rightly";
}

static const char *ping_begin(void)
{
	struct exos_spawn_grant grant = { .name = "page", .rights = READ_WRITE | EXO_SHARE };
	exo_sid sid = exos_slot_alloc();
	const char *why;
	int64_t made;

	if (!sid || exos_frame_alloc(1, &pfn, &grant.slot) < 0)
		return "no memory to share";
	grant.lo = pfn;
	grant.hi = pfn + 1;
	box = exos_space_window(grant.slot, pfn, 1, READ_WRITE, NULL);
	why = box ? bench_peer_begin(PEER_SHARED, &grant) : "the page could not be mapped";
	if (why)
		return why;
	made = exo_doorbell(bench_peer.env, sid, PEER_ENTRY, EXO_R_NOTIFY);
	bell = (exo_slot)made;
	return made < 0 ? "no doorbell" : NULL;
}

static void ping_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		box->question = i;
		exo_env_notify_wait(bell, exos_page()->event_head, 0);
		last += exos_event_take(bench_peer.bell) && box->answer == i + 1ul;
	}
}

static void ping_end(void)
{
	exos_cap_end(bell);
	bench_peer_end();
	exos_space_window_end((void *)box, 1);
	exos_frame_free(pfn, 1);
}

static const struct bench_row shm_ping = {
	.name = "shm_ping", .way = "a shared page and two events", .rounds = 16, .share = 1,
	.begin = ping_begin, .run = ping_run, .check = rounds_check, .end = ping_end,
};

static const char *call_begin(void)
{
	return bench_peer_gate(PEER_ADD, &gate);
}

static void call_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		struct exos_gate_message message = { .word = { i, 2 * i, 3, 4 } };

		if (exos_gate_call(gate, &message) < 0)
			break;
		last += message.word[0] == 3ul * i + 7;
	}
}

static void call_end(void)
{
	exos_cap_end(gate);
	bench_peer_end();
}

static const struct bench_row lrpc_call = {
	.name = "lrpc_call", .way = "a gate, four arguments, a result", .rounds = 40, .share = 1,
	.begin = call_begin, .run = call_run, .check = rounds_check, .end = call_end,
};

BENCH_ROW(shm_ping);
BENCH_ROW(lrpc_call);
