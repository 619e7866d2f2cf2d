/* SPDX-License-Identifier: MIT */
/*
 * shares.c - three programs are to have 3, 2 and 1 parts of a processor: how far is what they do
 * from that?
 *
 * All do the same work and count it.  The figure is the largest of their errors, in millionths of
 * what that program should have done.
 */
#include "row.h"
#include "system.h"

#define PROGRAMS  3u
#define SETTLE_MS 200u

static const uint32_t share[PROGRAMS] = { 3, 2, 1 };

static void counts_read(uint64_t *count)
{
	for (uint32_t i = 0; i < PROGRAMS; i++)
		count[i] = system_share_count(i);
}

/* Millionths; 0 in *work: nothing was done. */
static uint64_t error_of(const uint64_t *before, const uint64_t *after, uint64_t *work)
{
	uint64_t worst = 0, parts = 0;

	*work = 0;
	for (uint32_t i = 0; i < PROGRAMS; i++) {
		*work += after[i] - before[i];
		parts += share[i];
	}
	for (uint32_t i = 0; *work && i < PROGRAMS; i++) {
		uint64_t did = (after[i] - before[i]) * parts, should = *work * share[i];
		uint64_t off = (did > should ? did - should : should - did) * 1000000 / should;

		if (off > worst)
			worst = off;
	}
	return worst;
}

void bench_shares(void)
{
	uint64_t before[PROGRAMS], after[PROGRAMS], work = 0, worst = 0;

	if (system_shares_start(share, PROGRAMS) == 0) {
		system_stay(SETTLE_MS);
		counts_read(before);
		system_stay(SYSTEM_SHARE_MS);
		counts_read(after);
		worst = error_of(before, after, &work);
	}
	system_work_end();
	if (work)
		bench_value_print("share_error_321", "ppm", worst, SYSTEM_SHARE);
	else
		printf("bench %-20s failed: the other programs do not run\n", "share_error_321");
}
