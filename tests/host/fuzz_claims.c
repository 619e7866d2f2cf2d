/* SPDX-License-Identifier: MIT */
/*
 * fuzz_claims.c - arbitrary bytes as calls on claims, frames and page tables, against the model of
 * claims_model.h.
 *
 * When the bytes are used up the input ends: everything is revoked and must have come back.
 */
// sources: exo/claim.c exo/pieces.c exo/end.c exo/retype.c exo/frame.c exo/table.c exo/space.c
// sources: exo/lend.c exo/known.c exo/x86/port_holder.c
// includes: exo
// flags: -include tests/host/claims_fake.h -fno-builtin
// prepare: python3 tests/host/gen_claims.py
#include <stdio.h>
#include <stdlib.h>

#define CHECK(a) do { if (!(a)) { fprintf(stderr, "not true: %s\n", #a); abort(); } } while (0)
#define CHECK_EQ(a, b) CHECK((a) == (b))
#define test_fail(...) do { fprintf(stderr, __VA_ARGS__); abort(); } while (0)
#include "claims_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *next;
static size_t left;
static uint32_t state;          /* of the numbers that follow when the bytes are used up */

/* Two bytes choose among so many slots; loops that look for one must not run dry. */
static unsigned pick(unsigned n)
{
	if (left > 1) {
		left -= 2;
		next += 2;
		state = state * 31 + next[-1];
		return ((unsigned)next[-2] << 8 | next[-1]) % n;
	}
	left = 0;
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	next = data;
	left = size;
	state = (uint32_t)size;
	arena_make();
	tables_link();
	for (unsigned step = 0; left; step++) {
		step_random();
		if (step % 64 == 63)
			all_check();
	}
	all_check();
	end_random();
	return 0;
}
