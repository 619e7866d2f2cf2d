/* SPDX-License-Identifier: MIT */
/*
 * setup.c - what each measuring program does first: the scale of its figures, its time slots.
 */
#include <base/format.h>
#include <base/string.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/start.h>

#include "bench.h"

const char *bench_word(const char *word)
{
	const char *at = exos_machine_at(exos_machine()->cmdline_off);
	size_t bytes = strlen(word);
	bool first = true;

	for (; at && *at; first = *at++ == ' ')
		if (first && !strncmp(at, word, bytes))
			return at + bytes;
	return NULL;
}

/* From N of the word icount=N. */
void bench_scale_read(void)
{
	const char *at = bench_word("icount=");
	uint64_t shift;

	bench_tsc_hz = exos_machine()->tsc_hz;
	if (at && parse_u64(at, &at, &shift) == 0 && shift <= 10) {
		bench_scale = 1ul << shift;
		bench_agree = 3;
	}
}

uint64_t bench_time(void)
{
	return insn_tsc_ordered();
}

/* An interrupt in a slot is no part of an operation either. */
uint64_t bench_slot(void)
{
	const struct exo_cpu_stats *s = exos_machine_at(exos_machine()->stats_off +
							exos_page()->cpu * EXO_PAGE_SIZE);

	return exos_page()->slice_end_tsc + s->interrupts;
}

void bench_counts_read(struct bench_counts *out)
{
	const struct exo_cpu_stats *s = exos_machine_at(exos_machine()->stats_off +
							exos_page()->cpu * EXO_PAGE_SIZE);

	*out = (struct bench_counts){
		s->entries, s->space_loads, s->tlb_pages + s->tlb_all, s->ipis, s->vector_saves,
		s->copied,
	};
}

void bench_slots_take(void)
{
	exo_slot own = exos_grant("env", 0)->slot;
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("slots", n)); n++)
		for (uint64_t i = g->lo; g->unit == exos_page()->cpu && i < g->hi; i++)
			exo_slot_set(g->slot, i, own);
}
