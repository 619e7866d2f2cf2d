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

/* From N of the word icount=N of the boot line. */
void bench_scale_read(void)
{
	static const char word[] = "icount=";
	const char *at = exos_machine_at(exos_machine()->cmdline_off);
	uint64_t shift;

	for (; at && *at; at++)
		if (!strncmp(at, word, sizeof(word) - 1) &&
		    parse_u64(at + sizeof(word) - 1, &at, &shift) == 0 && shift <= 10)
			bench_scale = 1ul << shift;
}

void bench_slots_take(void)
{
	exo_slot own = exos_grant("env", 0)->slot;
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("slots", n)); n++)
		for (uint64_t i = g->lo; g->unit == exos_page()->cpu && i < g->hi; i++)
			exo_slot_set(g->slot, i, own);
}
