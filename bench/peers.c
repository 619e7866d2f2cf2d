/* SPDX-License-Identifier: MIT */
/*
 * peers.c - rows between two environments in two address spaces: this program, started twice.
 */
#include <base/util.h>
#include <exos/archive.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/event.h>
#include <exos/gate.h>
#include <exos/slot.h>
#include <exos/spawn.h>
#include <exos/start.h>

#include "bench.h"
#include "peer.h"

#define TIMES_MAX 16u

struct exos_child bench_peer;
static exo_slot gate, bell;
static uint64_t last;           /* answer of a run */

/* Every other slot of this CPU that is ours to fill is the other end's. */
static uint32_t times_fill(struct exos_spawn_time *times)
{
	const struct exos_grant *g;
	uint32_t count = 0;

	for (unsigned n = 0; (g = exos_grant("slots", n)) && count < TIMES_MAX; n++)
		if (g->unit == exos_page()->cpu && g->hi - g->lo > 1)
			times[count++] = (struct exos_spawn_time){
				g->slot, (uint32_t)g->lo + 1, (uint32_t)g->hi, 2,
			};
	return count;
}

const char *bench_peer_begin(const char *part, const struct exos_spawn_grant *more)
{
	static struct exos_archive archive;
	static struct exos_spawn_time times[TIMES_MAX];
	const char *argv[] = { "bench", part };
	struct exos_spawn_grant grant[2] = { {
		.name = "peer", .slot = exos_grant("env", 0)->slot,
		.rights = EXO_R_RUN | EXO_R_NOTIFY,
	} };
	struct exos_spawn request = {
		.argc = 2, .argv = argv, .grant = grant, .grants = more ? 2 : 1,
	};
	const char *why = archive.count ? NULL : exos_archive_open(&archive);

	if (!why)
		why = exos_archive_find(&archive, "app", &request.file, &request.file_bytes);
	if (why)
		return why;
	if (more)
		grant[1] = *more;
	request.time = times;
	request.times = times_fill(times);
	if (exos_spawn(&request, &bench_peer) < 0)
		return bench_peer.why;
	/* Let it come to where it waits or first yields back. */
	while (bench_peer.page->exit_code == 0 && exos_child_runs(&bench_peer))
		exo_env_yield(bench_peer.env);
	return exos_child_runs(&bench_peer) ? NULL : "the other end stopped";
}

static const char *peer_begin(const char *part)
{
	return bench_peer_begin(part, NULL);
}

void bench_peer_end(void)
{
	exos_child_end(&bench_peer);
	bench_slots_take();
}

static const char *rounds_check(uint32_t rounds)
{
	return last == rounds ? NULL : "not every round went over and back";
}

/* gate_call: the least caller and the least service. */
static const char *gate_begin(void)
{
	exo_sid sid = exos_slot_alloc();
	const char *why = peer_begin(PEER_IDLE);
	int64_t made;

	if (why || !sid)
		return why ? why : "no slot";
	bench_peer.page->gate_rsp = PEER_STACK;
	made = exo_gate_make(bench_peer.env, sid, (uintptr_t)bench_gate_entry, 1);
	gate = (exo_slot)made;
	return made < 0 ? "no gate" : NULL;
}

static void gate_run(uint32_t rounds)
{
	last = bench_gate(gate, rounds);
}

static void gate_end(void)
{
	exos_cap_end(gate);
	bench_peer_end();
}

static const struct bench_row gate_call = {
	.name = "gate_call", .must = 300, .stretch = 200, .rounds = 40, .share = 1,
	.begin = gate_begin, .run = gate_run, .check = rounds_check, .end = gate_end,
};

const char *bench_peer_gate(const char *part, exo_slot *out)
{
	exo_sid sid = exos_slot_alloc();
	const char *why = peer_begin(part);
	int64_t made;

	if (why || !sid)
		return why ? why : "no slot";
	made = exo_gate_make(bench_peer.env, sid, bench_peer.page->spare2[0],
			     bench_peer.page->exit_code);
	*out = (exo_slot)made;
	return made < 0 ? "no gate" : NULL;
}

/* The same through the library: a message in memory, a service in C. */
static const char *service_begin(void)
{
	return bench_peer_gate(PEER_SERVICE, &gate);
}

static void service_run(uint32_t rounds)
{
	struct exos_gate_message message = { .cap = 0 };

	for (uint32_t i = rounds; i; i--)
		if (exos_gate_call(gate, &message) < 0)
			break;
	last = message.word[0];
}

static const struct bench_row service_call = {
	.name = "gate_service_c", .rounds = 40, .share = 1,
	.begin = service_begin, .run = service_run, .check = rounds_check, .end = gate_end,
};

/* yield_pair: there by the ENV claim, and back by the other's. */
static const char *yield_begin(void)
{
	return peer_begin(PEER_YIELD);
}

static void yield_run(uint32_t rounds)
{
	uint64_t before = bench_peer.page->exit_code;
	exo_slot to = bench_peer.env;

	for (uint32_t i = rounds; i; i--)
		exo_env_yield(to);
	last = bench_peer.page->exit_code - before;
}

static const struct bench_row yield_pair = {
	.name = "yield_pair", .must = 300, .stretch = 220, .rounds = 40, .share = 1,
	.begin = yield_begin, .run = yield_run, .check = rounds_check, .end = bench_peer_end,
};

/* event_wake: post the other's event and wait for its post, in one call; it does the same. */
static const char *event_begin(void)
{
	exo_sid sid = exos_slot_alloc();
	const char *why = peer_begin(PEER_EVENT);
	int64_t made;

	if (why || !sid)
		return why ? why : "no slot";
	made = exo_doorbell(bench_peer.env, sid, PEER_ENTRY, EXO_R_NOTIFY);
	bell = (exo_slot)made;
	return made < 0 ? "no doorbell" : NULL;
}

static void event_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		exo_env_notify_wait(bell, exos_page()->event_head, 0);
		last += exos_event_take(bench_peer.bell);
	}
}

static void event_end(void)
{
	exos_cap_end(bell);
	bench_peer_end();
}

static const struct bench_row event_wake = {
	.name = "event_wake", .must = 600, .stretch = 400, .rounds = 16, .share = 1,
	.begin = event_begin, .run = event_run, .check = rounds_check, .end = event_end,
};

BENCH_ROW(gate_call);
BENCH_ROW(service_call);
BENCH_ROW(yield_pair);
BENCH_ROW(event_wake);
