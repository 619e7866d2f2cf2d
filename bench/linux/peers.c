/* SPDX-License-Identifier: MIT */
/*
 * peers.c - rows between two processes on one CPU: pipes, futex and shared memory, eventfd, yield.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "linux.h"

static int there[2], back[2];           /* pipes or eventfds: [0] is read, [1] written */
static uint64_t last;
static pid_t peer = -1;
static struct shared {
	uint32_t turn;                  /* whose it is: 0 ours, 1 the peer's */
	uint32_t word;                  /* of the message */
	uint64_t count;
} *shared;

static const char *rounds_check(uint32_t rounds)
{
	return last == rounds ? NULL : "not every round went over and back";
}

/* A byte goes over and comes back one higher. */
static void pipe_part(void)
{
	uint8_t byte;

	while (read(there[0], &byte, 1) == 1) {
		byte++;
		if (write(back[1], &byte, 1) != 1)
			return;
	}
}

static const char *pipe_begin(void)
{
	if (pipe(there) || pipe(back))
		return "no pipe";
	peer = linux_peer(pipe_part);
	return peer < 0 ? "no second process" : NULL;
}

static void pipe_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		uint8_t byte = (uint8_t)i, want = (uint8_t)(byte + 1);

		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			return;
		last += byte == want;
	}
}

static void peer_end(void)
{
	if (peer > 0)
		linux_peer_end(peer);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		if (back[i] != there[i])
			close(back[i]);
	}
}

#define PIPE_ROW(id, text) \
	static const struct bench_row id = { \
		.name = text, .way = "two pipes", .rounds = 40, .share = 1, .begin = pipe_begin, \
		.run = pipe_run, .check = rounds_check, .end = peer_end, \
	}; \
	BENCH_ROW(id)
PIPE_ROW(gate_pipe, "gate_call");
PIPE_ROW(event_pipe, "event_wake_pipe");
PIPE_ROW(pipe_roundtrip, "pipe_roundtrip");

/* The message lies in shared memory; a futex says whose turn it is. */
static void futex_part(void)
{
	for (;;) {
		linux_turn_wait(&shared->turn, 1);
		shared->word++;
		linux_turn_give(&shared->turn, 0);
	}
}

static const char *shared_begin(void (*part)(void))
{
	if (!shared)
		shared = linux_shared(sizeof(*shared));
	if (!shared)
		return "no shared memory";
	*shared = (struct shared){ .turn = 0 };
	peer = linux_peer(part);
	return peer < 0 ? "no second process" : NULL;
}

static const char *futex_begin(void)
{
	return shared_begin(futex_part);
}

static void futex_run(uint32_t rounds)
{
	shared->word = 0;
	for (uint32_t i = rounds; i; i--) {
		linux_turn_give(&shared->turn, 1);
		linux_turn_wait(&shared->turn, 0);
	}
	last = shared->word;
}

static void shared_end(void)
{
	linux_peer_end(peer);
}

static const struct bench_row gate_futex = {
	.name = "gate_call_futex", .way = "futex over shared memory", .rounds = 40, .share = 1,
	.begin = futex_begin, .run = futex_run, .check = rounds_check, .end = shared_end,
};
BENCH_ROW(gate_futex);

static void yield_part(void)
{
	for (;;) {
		shared->count++;
		sched_yield();
	}
}

/* Of equal real-time priority, so that a yield goes to the other; CFS promises that to nobody. */
static const char *yield_begin(void)
{
	const struct sched_param one = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &one))
		return "no real-time priority";
	return shared_begin(yield_part);
}

static void yield_run(uint32_t rounds)
{
	uint64_t before = shared->count;

	for (uint32_t i = rounds; i; i--)
		sched_yield();
	last = shared->count - before;
}

static void yield_end(void)
{
	const struct sched_param zero = { .sched_priority = 0 };

	shared_end();
	sched_setscheduler(0, SCHED_OTHER, &zero);
}

static const struct bench_row yield_pair = {
	.name = "yield_pair", .way = "sched_yield, SCHED_FIFO", .rounds = 40, .share = 1,
	.begin = yield_begin, .run = yield_run, .check = rounds_check, .end = yield_end,
};
BENCH_ROW(yield_pair);

static void event_part(void)
{
	uint64_t n;

	while (read(there[0], &n, 8) == 8) {
		n = 1;
		if (write(back[0], &n, 8) != 8)
			return;
	}
}

static const char *event_begin(void)
{
	there[0] = there[1] = eventfd(0, 0);
	back[0] = back[1] = eventfd(0, 0);
	peer = linux_peer(event_part);
	return peer < 0 ? "no second process" : NULL;
}

static void event_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		uint64_t n = 1;

		if (write(there[1], &n, 8) != 8 || read(back[0], &n, 8) != 8)
			return;
		last += n;
	}
}

static const struct bench_row event_wake = {
	.name = "event_wake", .way = "two eventfds", .rounds = 40, .share = 1,
	.begin = event_begin, .run = event_run, .check = rounds_check, .end = peer_end,
};
BENCH_ROW(event_wake);

static const char *self_begin(void)
{
	peer = -1;
	return pipe(there) || pipe(back) ? "no pipe" : NULL;
}

static void self_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		uint8_t byte = (uint8_t)i;

		if (write(there[1], &byte, 1) != 1)
			return;
		byte = 0;
		if (read(there[0], &byte, 1) != 1)
			return;
		last += byte == (uint8_t)i;
	}
}

static const struct bench_row pipe_self = {
	.name = "pipe_self", .way = "pipe", .rounds = 100, .share = 1, .begin = self_begin,
	.run = self_run, .check = rounds_check, .end = peer_end,
};
BENCH_ROW(pipe_self);
