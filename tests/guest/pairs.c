/* SPDX-License-Identifier: MIT */
/*
 * pairs.c - which call returned which error, in this test (pairs.h).
 */
#include <base/format.h>
#include <base/util.h>
#include <exos/console.h>
#include "guest.h"

#define CALLS  64u              /* numbers from 0x4000 on */
#define ERRORS 32u

static uint32_t seen[CALLS][ERRORS];    /* [a] */

int64_t pair_count(uint32_t call, int64_t result)
{
	uint64_t error = result < 0 ? min_u64(-(uint64_t)result, ERRORS - 1) : 0;

	__atomic_fetch_add(&seen[call % CALLS][error], 1, __ATOMIC_RELAXED);
	return result;
}

int64_t pair_count_gate(int64_t result)
{
	if (result >= 0)
		pair_count(EXO_CALL_gate_return, 0);
	return pair_count(EXO_CALL_gate_call, result);
}

/* One call's, if it was made: bytes in the buffer. */
static unsigned row(unsigned call, char *text, unsigned bytes)
{
	unsigned at = 0;

	for (unsigned error = 0; error < ERRORS; error++) {
		uint32_t times = seen[call][error];

		if (!times || bytes - at < 40)
			continue;
		if (!at)
			at = (unsigned)format_buffer(text, bytes, " %x", 0x4000 + call);
		at += (unsigned)format_buffer(text + at, bytes - at, ":%u=%u", error, times);
	}
	return at;
}

void pairs_print(void)
{
	char text[512];

	printf("pairs");
	for (unsigned call = 0; call < CALLS; call++)
		if (row(call, text, sizeof(text)))
			printf("%s", text);
	printf("\n");
}
