/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - what does it cost to start a small program, and to wait for its end?
 */
#include "row.h"
#include "system.h"

#define CODE 7

static uint32_t right;

static const char *spawn_begin(void)
{
	return system_spawn_wait() == CODE ? NULL : "the small program does not run";
}

static void spawn_run(uint32_t rounds)
{
	right = 0;
	for (uint32_t i = rounds; i; i--)
		right += system_spawn_wait() == CODE;
}

static const char *spawn_check(uint32_t rounds)
{
	return right == rounds ? NULL : "a program did not end as it should";
}

static const struct bench_row spawn_wait = {
	.name = "spawn_wait", .way = SYSTEM_SPAWN, .must = 80000, .stretch = 40000, .rounds = 4,
	.share = 1, .flags = BENCH_LONG, .begin = spawn_begin, .run = spawn_run,
	.check = spawn_check,
};
BENCH_ROW(spawn_wait);
