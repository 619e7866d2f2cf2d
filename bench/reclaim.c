/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c - rows about taking memory back: 1, 1,000 and 100,000 mapped frames of another claim.
 *
 * One reclaim takes longer than a time slot, so the whole is timed, slices' ends included: the best
 * of a few tries, divided by the frames.  Invariant: each try begins with all frames mapped.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/console.h>
#include <exos/frame.h>
#include <exos/slot.h>
#include <exos/space.h>

#include "bench.h"

#define TRIES 3u
#define MOST  100000u
#define READ_WRITE (EXO_R_READ | EXO_R_WRITE)

static exo_slot from, whole;
static uint64_t lo, va;

/* Ticks and counters of one reclaim of `count` frames; false: it did not do what it should. */
static bool reclaim_once(uint64_t count, uint64_t *ticks, struct bench_counts *counts)
{
	struct bench_counts before;
	exo_slot part;
	uint64_t start;

	if (exos_cap_narrow(whole, lo, lo + count, READ_WRITE, &part) < 0 ||
	    exos_space_map(&exos_space_own, va, part, lo, count, READ_WRITE) < 0)
		return false;
	bench_counts_read(&before);
	start = bench_time();
	if (exos_cap_revoke(whole) < 0)
		return false;
	*ticks = bench_time() - start;
	bench_counts_read(counts);
	for (unsigned i = 0; i < BENCH_COUNTS; i++)
		((uint64_t *)counts)[i] -= ((uint64_t *)&before)[i];
	exos_slot_free(exo_slot_sid(part));
	return !exos_cap_look(whole)->child && exos_cap_look(whole)->unit == MOST &&
	       !exos_space_frame(va) && !exos_space_frame(va + (count - 1) * EXO_PAGE_SIZE);
}

static bool reclaim_row(const char *name, uint64_t count)
{
	const struct bench_row row = { .name = name };
	struct bench_result r = { .n = 1, .operations = count };
	struct bench_counts counts;
	uint64_t ticks, best = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		if (!reclaim_once(count, &ticks, &counts)) {
			printf("bench %-20s failed: the reclaim did not take all\n", name);
			return false;
		}
		if (ticks < best) {
			best = ticks;
			r.counts = counts;
		}
	}
	if (bench_scale)
		best /= bench_scale;
	else
		best = best * (1024000000000ul / bench_tsc_hz) >> 10;
	r.median10 = r.min10 = r.max10 = (best * 10 + count / 2) / count;
	return bench_row_print(&row, &r);
}

unsigned bench_reclaim(void)
{
	unsigned missed;

	va = exos_space_reserve(MOST * EXO_PAGE_SIZE);
	if (exos_frame_alloc(MOST, &lo, &from) < 0 ||
	    exos_cap_narrow(from, lo, lo + MOST, READ_WRITE, &whole) < 0 || !va ||
	    exos_space_prepare(&exos_space_own, va, MOST) < 0) {
		printf("bench %-20s failed: no memory for %u frames\n", "reclaim_1", MOST);
		return 1;
	}
	missed = !reclaim_row("reclaim_1", 1);
	missed += !reclaim_row("reclaim_1000_each", 1000);
	missed += !reclaim_row("reclaim_100000_each", MOST);
	exos_cap_drop(whole);
	exos_frame_free(lo, MOST);
	exos_space_release(va, MOST * EXO_PAGE_SIZE);
	return missed;
}
