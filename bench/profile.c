/* SPDX-License-Identifier: MIT */
/*
 * profile.c - one row between marks, for whoever traces the processor (profile.py).
 *
 * As in measure.c a figure is the difference of two lengths of loop, so that what is done once is
 * not in it: there are two marked pieces, and the second has twice as many rounds.
 */
#include <base/string.h>
#include <exos/console.h>

#include "bench.h"

#define ROUNDS 8u               /* of the first piece, if the row has as many */

extern const struct bench_row *const __start_bench_rows[], *const __stop_bench_rows[];

static const struct bench_row *row_find(const char *name)
{
	size_t bytes = 0;

	while (name[bytes] > ' ')
		bytes++;
	for (const struct bench_row *const *r = __start_bench_rows; r < __stop_bench_rows; r++)
		if (strlen((*r)->name) == bytes && memcmp((*r)->name, name, bytes) == 0)
			return *r;
	return NULL;
}

static const char *piece_run(const struct bench_row *row, uint32_t rounds, bool marked)
{
	if (row->reset)
		row->reset(rounds);
	if (marked)
		bench_profile_mark();
	row->run(rounds);
	if (marked)
		bench_profile_mark();
	return row->check(rounds);
}

/* Once for the caches of the library, unmarked; then wait for the tracer, a byte on the console. */
static const char *row_profile(const struct bench_row *row)
{
	uint32_t rounds = row->rounds < ROUNDS ? row->rounds : ROUNDS;
	const char *why = row->begin ? row->begin() : NULL;
	char byte;

	if (!why)
		why = piece_run(row, 2 * rounds, false);
	if (why)
		return why;
	printf("bench: ready to be traced, %u operations\n", rounds * row->share);
	if (exos_console_read(&byte, 1, 0) < 0)
		return "there is no console to wait at";
	why = piece_run(row, rounds, true);
	if (!why)
		why = piece_run(row, 2 * rounds, true);
	if (row->end)
		row->end();
	return why;
}

int bench_profile(const char *name)
{
	const struct bench_row *row = row_find(name);
	const char *why = row ? row_profile(row) : "no row has this name";

	if (why)
		printf("bench: not profiled: %s\n", why);
	else
		printf("bench: traced\n");
	return why != NULL;
}
