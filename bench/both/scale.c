/* SPDX-License-Identifier: MIT */
/*
 * scale.c - do programs on several processors hinder each other?
 *
 * Each of n does the same work over and over on a processor of its own, for a while, with nothing
 * of the others'.  The figure is the time of one operation, all processors taken together: with
 * twice as many, half of it.  scale_user_N does not enter the kernel: it is what the host gives.
 */
#include "row.h"
#include "system.h"

#define SETTLE_MS 60u
#define SAMPLE_MS 80u
#define SAMPLES   5u
#define CPUS      4u

static const struct kind {
	const char *name[CPUS];         /* of its rows, for 1, 2, ... processors */
	const char *way;
} kind[SYSTEM_WORKS] = {
	[SYSTEM_WORK_PROTECT] = {
		{ "scale_1", "scale_2", "scale_3", "scale_4" }, SYSTEM_PROTECT,
	},
	[SYSTEM_WORK_USER] = {
		{ "scale_user_1", "scale_user_2", "scale_user_3", "scale_user_4" },
		"an empty loop",
	},
	[SYSTEM_WORK_NULL] = {
		{ "scale_null_1", "scale_null_2", "scale_null_3", "scale_null_4" }, SYSTEM_NULL,
	},
	[SYSTEM_WORK_MAP] = {
		{ "scale_map_1", "scale_map_2", "scale_map_3", "scale_map_4" }, SYSTEM_MAP,
	},
};

/* Tenths of a nanosecond for one operation, over a while; 0 if nothing happened. */
static uint64_t sample_take(void)
{
	uint64_t count = system_work_count(), start = bench_time(), ticks;

	system_sleep(SAMPLE_MS);
	count = system_work_count() - count;
	ticks = bench_time() - start;
	return count ? ticks * (10240000000000ul / bench_tsc_hz) / 1024 / count : 0;
}

/* Several samples, for the host takes processors away; false if nothing happened in one. */
static bool scale_measure(uint32_t cpus, enum system_work work, struct bench_result *r)
{
	uint64_t sorted[SAMPLES] = { 0 };

	if (system_work_start(cpus, work) == 0) {
		system_sleep(SETTLE_MS);
		for (unsigned n = 0; n < SAMPLES; n++) {
			uint64_t value = sample_take();
			unsigned at = n;

			for (; at && sorted[at - 1] > value; at--)
				sorted[at] = sorted[at - 1];
			sorted[at] = value;
		}
	}
	system_work_end();
	*r = (struct bench_result){
		.n = SAMPLES, .operations = 1, .min10 = sorted[0],
		.median10 = sorted[SAMPLES / 2], .max10 = sorted[SAMPLES - 1],
	};
	return sorted[0] != 0;
}

static void scale_row(uint32_t cpus, enum system_work work)
{
	const struct bench_row row = { .name = kind[work].name[cpus - 1], .way = kind[work].way };
	struct bench_result result;

	if (scale_measure(cpus, work, &result))
		bench_row_print(&row, &result);
	else
		printf("bench %-20s failed: the other programs do not run\n", row.name);
}

void bench_scaling(const char *only)
{
	for (unsigned work = 0; work < SYSTEM_WORKS; work++)
		for (uint32_t n = 1; n <= system_cpus() && n <= CPUS; n++)
			if (bench_wanted(kind[work].name[n - 1], only))
				scale_row(n, (enum system_work)work);
}
