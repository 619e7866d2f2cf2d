/* SPDX-License-Identifier: MIT */
/*
 * print.c - the lines of the table; bench/guest.py reads them.
 *
 * The last line says how many rows there were.
 *
 * bench NAME COST MUST STRETCH VERDICT COUNTERS... n=SAMPLES min=COST max=COST unit=UNIT way=WORDS
 */
#include "row.h"
#include "system.h"

static unsigned rows;           /* printed: who reads them can tell that one was lost on the way */

static const char *verdict(const struct bench_row *row, uint64_t cost10)
{
	if (!bench_agree || !row->must)         /* targets are exo's, in instructions */
		return "-";
	if (cost10 <= row->stretch * 10ul)
		return "stretch";
	return cost10 <= row->must * 10ul ? "must" : "MISSED";
}

static void counts_print(const struct bench_counts *counts, uint64_t operations)
{
	for (unsigned i = 0; i < BENCH_COUNTS; i++) {
		uint64_t n = (((const uint64_t *)counts)[i] * 10 + operations / 2) / operations;

		printf(" %5lu.%lu", n / 10, n % 10);
	}
}

bool bench_row_print(const struct bench_row *row, const struct bench_result *r)
{
	const char *word = verdict(row, r->median10);

	printf("bench %-20s %6lu.%lu %7u %7u %-8s", row->name, r->median10 / 10, r->median10 % 10,
	       row->must, row->stretch, word);
	counts_print(&r->counts, r->operations);
	printf(" n=%u min=%lu.%lu max=%lu.%lu unit=%s", r->n, r->min10 / 10, r->min10 % 10,
	       r->max10 / 10, r->max10 % 10, bench_scale ? "instructions" : "ns");
	if (row->way)
		printf(" way=%s", row->way);
	printf("\n");
	rows++;
	return word[0] != 'M';
}

void bench_value_print(const char *name, const char *unit, uint64_t value, const char *way)
{
	printf("bench %-20s %6lu.0 %7u %7u %-8s unit=%s%s%s\n", name, value, 0u, 0u, "-", unit,
	       way ? " way=" : "", way ? way : "");
	rows++;
}

void bench_end_print(unsigned missed)
{
	printf("bench: end rows=%u missed=%u\n", rows, missed);
}

void bench_head_print(void)
{
	printf("bench %-20s %8s %7s %7s %-8s %7s %7s %7s %7s %7s %7s\n", "operation",
	       bench_scale ? "instr" : "ns", "must", "stretch", "verdict", "entries", "spaces",
	       "tlb", "ipis", "vectors", "copied");
}
