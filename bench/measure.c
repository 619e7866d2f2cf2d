/* SPDX-License-Identifier: MIT */
/*
 * measure.c - the cost of one round, as the difference between two lengths of loop.
 *
 * Under -icount a figure counts when three tries agree to the last digit; a try in
 * which a time slot ended is passed over, since that is no part of the operation.
 */
#include <base/util.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/console.h>
#include <exos/start.h>

#include "bench.h"

#define TRIES 60u
#define AGREE 3u

uint64_t bench_scale;
static uint64_t empty_ticks;            /* of one empty round */

struct sample {
	uint64_t ticks;                 /* of the longer loop less the shorter */
	struct exo_cpu_stats stats;     /* the same difference, of the kernel's counters */
};

const struct exo_cpu_stats *bench_stats(void)
{
	uint64_t at = exos_machine()->stats_off + exos_page()->cpu * EXO_PAGE_SIZE;

	return exos_machine_at(at);
}

/* Time one loop; false if a time slot ended meanwhile. */
static bool loop_time(const struct bench_row *row, uint32_t rounds, uint64_t *ticks,
		      struct exo_cpu_stats *stats)
{
	struct exo_cpu_stats before;
	uint64_t slice_end, start;

	if (row->reset)
		row->reset(rounds);
	slice_end = exos_page()->slice_end_tsc;
	before = *bench_stats();
	start = insn_tsc_ordered();
	row->run(rounds);
	*ticks = insn_tsc_ordered() - start;
	*stats = *bench_stats();
	for (unsigned i = 0; i < sizeof(before) / 8; i++)
		((uint64_t *)stats)[i] -= ((uint64_t *)&before)[i];
	return exos_page()->slice_end_tsc == slice_end;
}

/*
 * Both lengths of loop; NULL, or what was wrong.  ticks 0: a slot ended, nothing can be said.
 */
static const char *sample_take(const struct bench_row *row, struct sample *s)
{
	struct exo_cpu_stats few, many;
	uint64_t ticks_few, ticks_many;
	const char *why;

	s->ticks = 0;
	if (!loop_time(row, row->rounds, &ticks_few, &few))
		return NULL;
	why = row->check(row->rounds);
	if (why)
		return why;
	if (!loop_time(row, 2 * row->rounds, &ticks_many, &many))
		return NULL;
	why = row->check(2 * row->rounds);
	if (why)
		return why;
	s->ticks = ticks_many - ticks_few;
	for (unsigned i = 0; i < sizeof(few) / 8; i++)
		((uint64_t *)&s->stats)[i] = ((uint64_t *)&many)[i] - ((uint64_t *)&few)[i];
	return NULL;
}

static void disagreement_print(const struct bench_row *row, const struct sample *s, unsigned count)
{
	printf("bench %-20s tries:", row->name);
	for (unsigned i = 0; i < count && i < 8; i++)
		printf(" %lu", s[i].ticks / (bench_scale * row->rounds * row->share));
	printf("\n");
}

/* Sample until AGREE samples are equal. */
static const char *sample_agree(const struct bench_row *row, struct sample *out)
{
	static struct sample sample[TRIES];
	unsigned count = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		const char *why = sample_take(row, &sample[count]);
		unsigned equal = 1;

		if (why)
			return why;
		if (!sample[count].ticks)
			continue;
		for (unsigned k = 0; k < count; k++)
			equal += sample[k].ticks == sample[count].ticks;
		*out = sample[count++];
		if (equal >= AGREE || !bench_scale)
			return NULL;
	}
	disagreement_print(row, sample, count);
	return count ? "no three tries agree" : "a time slot ended in every try";
}

/* Tenths of a unit, of `n` in a loop of `operations`, rounded. */
static uint64_t tenths(uint64_t n, uint64_t operations)
{
	return (n * 10 + operations / 2) / operations;
}

static const char *verdict(const struct bench_row *row, uint64_t cost10)
{
	if (!bench_scale || !row->must)
		return "-";
	if (cost10 <= row->stretch * 10ul)
		return "stretch";
	return cost10 <= row->must * 10ul ? "must" : "MISSED";
}

static void print_counts(const struct exo_cpu_stats *s, uint64_t operations)
{
	const uint64_t count[] = {
		s->entries, s->space_loads, s->tlb_pages + s->tlb_all, s->ipis, s->vector_saves,
		s->copied,
	};

	for (unsigned i = 0; i < ARRAY_LEN(count); i++) {
		uint64_t n = tenths(count[i], operations);

		printf(" %5lu.%lu", n / 10, n % 10);
	}
}

bool bench_row_print(const struct bench_row *row, uint64_t cost10, const struct exo_cpu_stats *s,
                     uint64_t operations)
{
	const char *word = verdict(row, cost10);

	printf("bench %-20s %6lu.%lu %7u %7u %-8s", row->name, cost10 / 10, cost10 % 10, row->must,
	       row->stretch, word);
	print_counts(s, operations);
	printf("\n");
	return word[0] != 'M';
}

static bool sample_print(const struct bench_row *row, const struct sample *s)
{
	uint64_t operations = (uint64_t)row->rounds * row->share;
	uint64_t scale = bench_scale ? bench_scale : 1;
	uint64_t empty = empty_ticks * row->rounds;
	uint64_t ticks = s->ticks > empty ? s->ticks - empty : 0;

	return bench_row_print(row, tenths(ticks, operations * scale), &s->stats, operations);
}

bool bench_measure(const struct bench_row *row)
{
	struct sample s;
	const char *why = row->begin();
	bool ok = false;

	if (!why)
		why = sample_agree(row, &s);
	if (!why)
		ok = sample_print(row, &s);
	else
		printf("bench %-20s failed: %s\n", row->name, why);
	if (row->end)
		row->end();
	return ok;
}

static const char *empty_check(uint32_t rounds)
{
	(void)rounds;
	return NULL;
}

void bench_calibrate(void)
{
	static const struct bench_row row = {
		.name = "empty", .rounds = 1000, .share = 1,
		.run = bench_empty, .check = empty_check,
	};
	struct sample s;

	if (!sample_agree(&row, &s))
		empty_ticks = s.ticks / row.rounds;
}
