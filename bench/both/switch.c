/* SPDX-License-Identifier: MIT */
/*
 * switch.c - what does it cost to go from one program to the next, with 2 to 64 of them, and with
 * 4 or 16 KiB that each of them reads?
 */
#include "row.h"
#include "system.h"

static uint64_t before, others;

static const char *ring_begin(uint32_t programs, uint32_t bytes)
{
	others = programs - 1;
	return system_ring_start(programs - 1, bytes) ? "the other programs do not run" : NULL;
}

static void ring_reset(uint32_t rounds)
{
	uint64_t slot;

	/* A slot that ended left a program on its way: a whole round takes all to their yield. */
	(void)rounds;
	do {
		slot = bench_slot();
		system_ring_round();
	} while (bench_slot() != slot);
	before = system_ring_count();
}

static void ring_run(uint32_t rounds)
{
	for (uint32_t i = rounds; i; i--)
		system_ring_round();
}

static const char *ring_check(uint32_t rounds)
{
	uint64_t ran = system_ring_count() - before;

	return ran == rounds * others ? NULL : "not each program ran each time";
}

#define RING(id, programs, bytes, count) \
	static const char *id##_begin(void) { return ring_begin(programs, bytes); } \
	static const struct bench_row id = { \
		.name = #id, .rounds = count, .share = programs, .begin = id##_begin, \
		.reset = ring_reset, .run = ring_run, .check = ring_check, .end = system_ring_end, \
	}; \
	BENCH_ROW(id)
RING(switch_2, 2, 0, 20);
RING(switch_8, 8, 0, 8);
RING(switch_32, 32, 0, 2);
RING(switch_64, 64, 0, 1);
RING(switch_4k_8, 8, 4096, 4);
RING(switch_16k_2, 2, 16384, 8);
RING(switch_16k_4, 4, 16384, 4);
RING(switch_16k_8, 8, 16384, 2);
