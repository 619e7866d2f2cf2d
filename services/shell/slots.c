/* SPDX-License-Identifier: MIT */
/*
 * slots.c - sharing the granted time slots among the shell and its jobs.
 *
 * Each CPU's slots go round among those that are on it: slot n names member n modulo their number.
 * The shell itself is on the first CPU.  Nobody is moved to another CPU.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/spawn.h>
#include <exos/start.h>

#include "jobs.h"

static uint32_t home;           /* the shell's CPU */

static uint32_t members(uint32_t cpu)
{
	uint32_t n = 0;

	while (jobs_on_cpu(cpu, n) != NULL)
		n++;
	return n + (cpu == home);
}

uint32_t slots_cpu(void)
{
	const struct exos_grant *g;
	uint32_t best = UINT32_MAX;

	for (unsigned n = 0; (g = exos_grant("slots", n)) != NULL; n++)
		if (best == UINT32_MAX || members(g->unit) <= members(best))
			best = g->unit;
	return best;
}

/* The ENV claim whose turn slot n of a CPU is; 0: nobody. */
static exo_slot member(uint32_t cpu, uint64_t n)
{
	uint32_t count = members(cpu), turn;

	if (count == 0)
		return 0;
	turn = (uint32_t)(n % count);
	if (cpu == home && turn == 0)
		return exos_grant("env", 0)->slot;
	return jobs_on_cpu(cpu, turn - (cpu == home))->env;
}

void slots_deal(uint32_t cpu)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("slots", n)) != NULL; n++)
		for (uint64_t slot = g->lo; g->unit == cpu && slot < g->hi; slot++)
			exo_slot_set(g->slot, slot, member(cpu, slot));
}

void slots_start(void)
{
	const struct exos_grant *g = exos_grant("slots", 0);

	home = g != NULL ? g->unit : UINT32_MAX - 1;
	for (unsigned n = 1; (g = exos_grant("slots", n)) != NULL; n++)
		if (g->unit < home)
			home = g->unit;
	slots_deal(home);
}
