/* SPDX-License-Identifier: MIT */
/*
 * measure.c - the cost of one round, as the difference between two lengths of loop.
 *
 * exo under -icount: a figure counts when three samples agree to the last digit.  Otherwise it is
 * the median of many.  Either way a sample in which a time slot is known to have ended is passed
 * over, since that is no part of the operation.
 */
#include "row.h"
#include "system.h"

#define TRIES   160u
#define SAMPLES 101u            /* whose medians are taken, of counted instructions */
#define SAMPLES_TIME 31u
#define FEW     3u              /* of them, if they take longer than this together: */
#define LONG_TIME_S  2u
#define LONG_COUNT   300000000ul
#define REPEAT  16u             /* pairs of loops in a sample of time */

uint64_t bench_scale, bench_tsc_hz;
uint32_t bench_agree;
bool bench_brief;
static uint64_t empty_ticks;            /* of EMPTY_ROUNDS empty rounds */
#define EMPTY_ROUNDS 1000u

struct sample {
	uint64_t ticks;                 /* of the longer loop less the shorter */
	uint64_t few, many;             /* of each */
	struct bench_counts counts;     /* the same difference, of the kernel's counters */
};

static void counts_less(struct bench_counts *a, const struct bench_counts *b)
{
	for (unsigned i = 0; i < BENCH_COUNTS; i++)
		((uint64_t *)a)[i] -= ((const uint64_t *)b)[i];
}

/* Time one loop; false if a time slot ended meanwhile. */
static bool loop_time(const struct bench_row *row, uint32_t rounds, struct sample *s)
{
	struct bench_counts before;
	uint64_t slot, start;

	if (row->reset)
		row->reset(rounds);
	slot = bench_slot();
	bench_counts_read(&before);
	start = bench_time();
	row->run(rounds);
	s->ticks = bench_time() - start;
	bench_counts_read(&s->counts);
	counts_less(&s->counts, &before);
	return bench_slot() == slot || (row->flags & BENCH_LONG);
}

/* One length of loop: NULL, or what was wrong.  ticks 0: a slot ended, nothing can be said. */
static const char *loop_take(const struct bench_row *row, uint32_t rounds, struct sample *s)
{
	if (!loop_time(row, rounds, s)) {
		s->ticks = 0;
		return NULL;
	}
	return row->check(rounds);
}

/* Both lengths of loop, in the same manner. */
static const char *sample_once(const struct bench_row *row, struct sample *s, bool *valid)
{
	struct sample few;
	const char *why = loop_take(row, row->rounds, &few);

	if (!why && few.ticks)
		why = loop_take(row, 2 * row->rounds, s);
	*valid = !why && few.ticks && s->ticks;
	if (*valid) {
		s->few = few.ticks;
		s->many = s->ticks;
		s->ticks -= few.ticks;
		counts_less(&s->counts, &few.counts);
	}
	return why;
}

/* With a busy machine around it the longer loop may take less: then it is 1, not less. */
static uint64_t difference(uint64_t many, uint64_t few)
{
	return many > few ? many - few : 1;
}

/*
 * A sample; in time short rows need several pairs of loops, for the host interrupts as it likes,
 * and a pair in which a slot ended is done again.
 */
static const char *sample_take(const struct bench_row *row, struct sample *s)
{
	uint32_t repeat = bench_scale || row->flags & BENCH_LONG ? 1 : REPEAT;
	uint32_t tries = bench_scale ? 1 : 8 * repeat, pairs = 0;
	uint64_t few = 0, many = 0;

	for (; tries && pairs < repeat; tries--) {
		bool valid;
		const char *why = sample_once(row, s, &valid);

		if (why)
			return why;
		if (!valid)
			continue;
		few += s->few;
		many += s->many;
		pairs++;
	}
	s->ticks = 0;
	if (!pairs)
		return NULL;
	s->few = few / pairs;
	s->many = many / pairs;
	s->ticks = difference(s->many, s->few);
	return NULL;
}

static void disagreement_print(const struct bench_row *row, const struct sample *s, unsigned count)
{
	printf("bench %-20s tries:", row->name);
	for (unsigned i = 0; i < count && i < 8; i++)
		printf(" %lu", s[i].ticks / (bench_scale * row->rounds * row->share));
	printf("\n");
}

static unsigned equals(const struct sample *sample, unsigned count, uint64_t ticks)
{
	unsigned equal = 0;

	for (unsigned k = 0; k < count; k++)
		equal += sample[k].ticks == ticks;
	return equal;
}

/* Insert, in order of ticks. */
static void sample_insert(struct sample *sample, unsigned count, const struct sample *s)
{
	for (; count && sample[count - 1].ticks > s->ticks; count--)
		sample[count] = sample[count - 1];
	sample[count] = *s;
}

/* How long samples of a row may take, in time stamps. */
static uint64_t long_ticks(void)
{
	if (bench_scale)
		return LONG_COUNT * bench_scale;
	return LONG_TIME_S * (bench_tsc_hz ? bench_tsc_hz : 1000000000);
}

/* Fill `sample`, sorted, until enough agree or there are enough; NULL, or what was wrong. */
static const char *samples_take(const struct bench_row *row, struct sample *sample, unsigned *count)
{
	uint32_t agree = row->flags & BENCH_LONG ? 0 : bench_agree;
	uint32_t enough = bench_scale ? SAMPLES : SAMPLES_TIME;
	uint64_t start = bench_time();
	struct sample s;

	*count = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		const char *why = sample_take(row, &s);

		if (why)
			return why;
		if (!s.ticks)
			continue;
		sample_insert(sample, (*count)++, &s);
		if (agree && equals(sample, *count, s.ticks) >= agree) {
			*sample = s;
			return NULL;
		}
		if (!agree && (*count == enough ||
			       (*count >= FEW && bench_time() - start > long_ticks())))
			return NULL;
	}
	if (*count && !agree)
		return NULL;
	if (*count)
		disagreement_print(row, sample, *count);
	return *count ? "no three tries agree" : "a time slot ended in every try";
}

/* Tenths of an instruction or nanosecond for one of so many operations. */
static uint64_t tenths(const struct bench_row *row, uint64_t ticks, uint64_t operations)
{
	uint64_t empty = empty_ticks * row->rounds / EMPTY_ROUNDS;

	ticks = ticks > empty ? ticks - empty : 0;
	if (bench_scale)
		operations *= bench_scale;
	else            /* 10^10 tenths of a nanosecond in a second; error below 0.05 % */
		ticks = ticks * (10240000000000ul / (bench_tsc_hz ? bench_tsc_hz : 1)) >> 10;
	return ((bench_scale ? ticks * 10 : ticks) + operations / 2) / operations;
}

static void word_insert(uint64_t *at, unsigned count, uint64_t value)
{
	for (; count && at[count - 1] > value; count--)
		at[count] = at[count - 1];
	at[count] = value;
}

/* The difference of the two loops' medians: steadier than the median of the differences. */
static uint64_t median(const struct sample *sample, unsigned count)
{
	static uint64_t few[TRIES], many[TRIES];

	for (unsigned i = 0; i < count; i++) {
		word_insert(few, i, sample[i].few);
		word_insert(many, i, sample[i].many);
	}
	return difference(many[count / 2], few[count / 2]);
}

static const char *row_measure(const struct bench_row *row, struct bench_result *r)
{
	static struct sample sample[TRIES];
	unsigned count;
	const char *why = samples_take(row, sample, &count);

	if (why)
		return why;
	r->operations = (uint64_t)row->rounds * row->share;
	r->n = count;
	if (bench_agree && !(row->flags & BENCH_LONG)) {
		r->n = bench_agree;             /* those that are equal */
		count = 1;
	}
	r->median10 = tenths(row, median(sample, count), r->operations);
	r->min10 = tenths(row, sample[0].ticks, r->operations);
	r->max10 = tenths(row, sample[count - 1].ticks, r->operations);
	if (r->min10 > r->median10)
		r->min10 = r->median10;
	if (r->max10 < r->median10)
		r->max10 = r->median10;
	r->counts = sample[count / 2].counts;
	return NULL;
}

static bool row_do(const struct bench_row *row)
{
	struct bench_result result;
	const char *why = row->begin ? row->begin() : NULL;
	bool ok = false;

	if (!why)
		why = row_measure(row, &result);
	if (!why)
		ok = bench_row_print(row, &result);
	else
		printf("bench %-20s %s: %s\n", row->name, *why == '-' ? "left out" : "failed",
		       why + (*why == '-'));
	if (row->end)
		row->end();
	return ok || (why && *why == '-');
}

/* The length of a word; commas and blanks end it. */
static size_t word_length(const char *word)
{
	size_t n = 0;

	while (word[n] > ' ' && word[n] != ',')
		n++;
	return n;
}

bool bench_wanted(const char *name, const char *only)
{
	if (!only)
		return true;
	for (const char *word = only;; word++) {
		size_t n = word_length(word);

		for (const char *at = name; n && *at; at++)
			if (!strncmp(at, word, n))
				return true;
		word += n;
		if (*word != ',')
			return false;
	}
}

/* Not there in a program that has no rows. */
extern const struct bench_row *const __start_bench_rows[] __attribute__((weak));
extern const struct bench_row *const __stop_bench_rows[] __attribute__((weak));

unsigned bench_table(const char *only, bool disk)
{
	unsigned missed = 0;

	for (const struct bench_row *const *row = __start_bench_rows; row < __stop_bench_rows;
	     row++) {
		if (!bench_wanted((*row)->name, only) || !!((*row)->flags & BENCH_DISK) != disk ||
		    (bench_scale && (*row)->flags & BENCH_TIME) ||
		    (bench_brief && (*row)->flags & BENCH_LONG))
			continue;
		missed += !row_do(*row);
	}
	return missed;
}

static const char *empty_check(uint32_t rounds)
{
	(void)rounds;
	return NULL;
}

void bench_calibrate(void)
{
	static const struct bench_row row = {
		.name = "empty", .rounds = EMPTY_ROUNDS, .share = 1,
		.run = bench_empty, .check = empty_check,
	};
	static struct sample sample[TRIES];
	unsigned count;

	if (!samples_take(&row, sample, &count))
		empty_ticks = sample[bench_agree ? 0 : count / 2].ticks;
}
