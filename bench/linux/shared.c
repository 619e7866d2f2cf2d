/* SPDX-License-Identifier: MIT */
/*
 * shared.c - the jobs of ../shared.c on Linux: a word in shared memory and a futex; a call with
 * four arguments over a socket pair, and by shared memory and a futex.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define ARGUMENTS 4u

static struct shared {
	uint32_t turn;                  /* whose it is: 0 ours, 1 the peer's */
	uint64_t word[ARGUMENTS];       /* question or arguments; the answer in the first */
} *shared;
static int ends[2];
static pid_t peer;
static uint64_t last;

void linux_turn_wait(uint32_t *turn, uint32_t want)
{
	while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != want)
		syscall(SYS_futex, turn, FUTEX_WAIT, !want, NULL, NULL, 0);
}

void linux_turn_give(uint32_t *turn, uint32_t to)
{
	__atomic_store_n(turn, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint64_t add(const uint64_t *word)
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

static void answer_part(void)
{
	for (;;) {
		linux_turn_wait(&shared->turn, 1);
		shared->word[0]++;
		linux_turn_give(&shared->turn, 0);
	}
}

static void add_part(void)
{
	for (;;) {
		linux_turn_wait(&shared->turn, 1);
		shared->word[0] = add(shared->word);
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

static const char *ping_begin(void) { return shared_begin(answer_part); }
static const char *futex_begin(void) { return shared_begin(add_part); }

static void ping_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		shared->word[0] = i;
		linux_turn_give(&shared->turn, 1);
		linux_turn_wait(&shared->turn, 0);
		last += shared->word[0] == i + 1ul;
	}
}

static void futex_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		const uint64_t word[ARGUMENTS] = { i, 2 * i, 3, 4 };

		memcpy(shared->word, word, sizeof(word));
		linux_turn_give(&shared->turn, 1);
		linux_turn_wait(&shared->turn, 0);
		last += shared->word[0] == 3ul * i + 7;
	}
}

static void shared_end(void)
{
	linux_peer_end(peer);
}

static void socket_part(void)
{
	uint64_t word[ARGUMENTS];

	while (read(ends[1], word, sizeof(word)) == sizeof(word)) {
		word[0] = add(word);
		if (write(ends[1], word, sizeof(word[0])) != sizeof(word[0]))
			return;
	}
}

static const char *socket_begin(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		return "no socket pair";
	peer = linux_peer(socket_part);
	return peer < 0 ? "no second process" : NULL;
}

static void socket_run(uint32_t rounds)
{
	last = 0;
	for (uint32_t i = rounds; i; i--) {
		const uint64_t word[ARGUMENTS] = { i, 2 * i, 3, 4 };
		uint64_t answer = 0;

		if (write(ends[0], word, sizeof(word)) != sizeof(word) ||
		    read(ends[0], &answer, sizeof(answer)) != sizeof(answer))
			return;
		last += answer == 3ul * i + 7;
	}
}

static void socket_end(void)
{
	linux_peer_end(peer);
	close(ends[0]);
	close(ends[1]);
}

static const struct bench_row shm_ping = {
	.name = "shm_ping", .way = "shared memory and a futex", .rounds = 40, .share = 1,
	.begin = ping_begin, .run = ping_run, .check = rounds_check, .end = shared_end,
};
static const struct bench_row lrpc_call = {
	.name = "lrpc_call", .way = "a socket pair", .rounds = 40, .share = 1,
	.begin = socket_begin, .run = socket_run, .check = rounds_check, .end = socket_end,
};
static const struct bench_row lrpc_call_futex = {
	.name = "lrpc_call_futex", .way = "shared memory and a futex", .rounds = 40, .share = 1,
	.begin = futex_begin, .run = futex_run, .check = rounds_check, .end = shared_end,
};
BENCH_ROW(shm_ping);
BENCH_ROW(lrpc_call);
BENCH_ROW(lrpc_call_futex);
