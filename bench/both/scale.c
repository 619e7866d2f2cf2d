/* SPDX-License-Identifier: MIT */
/*
 * scale.c - do programs on several processors hinder each other?
 *
 * Each of n changes the rights of a page of its own on a processor of its own, for a while.  The
 * figure is the time of one change, all processors taken together: with twice as many, half of it.
 */
#include "row.h"
#include "system.h"

#define SETTLE_MS 60u
#define MS        300u

/* Tenths of a nanosecond for one change, or 0 if nothing happened. */
static uint64_t scale_measure(uint32_t cpus)
{
	uint64_t start, count, ticks;

	if (system_work_start(cpus))
		return 0;
	system_sleep(SETTLE_MS);
	count = system_work_count();
	start = bench_time();
	system_sleep(MS);
	count = system_work_count() - count;
	ticks = bench_time() - start;
	system_work_end();
	return count ? ticks * (10240000000000ul / bench_tsc_hz) / 1024 / count : 0;
}

void bench_scaling(void)
{
	static const char *const names[] = { "scale_1", "scale_2", "scale_3", "scale_4" };

	for (uint32_t n = 1; n <= system_cpus() && n <= 4; n++) {
		const struct bench_row row = { .name = names[n - 1], .way = SYSTEM_PROTECT };
		struct bench_result result = { .n = 1, .operations = 1 };

		result.median10 = result.min10 = result.max10 = scale_measure(n);
		if (result.median10)
			bench_row_print(&row, &result);
		else
			printf("bench %-20s failed: the other programs do not run\n", row.name);
	}
}
