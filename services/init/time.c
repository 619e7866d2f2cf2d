/* SPDX-License-Identifier: MIT */
/*
 * time.c - time slots: at boot those of CPU 0 name init, which keeps a few and gives the rest.
 */
#include <exos/call.h>

#include "init.h"

exo_slot time_claim(uint32_t cpu)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("slots", n)) != NULL; n++)
		if (g->unit == cpu)
			return g->slot;
	return 0;
}

uint32_t time_cpus(void)
{
	return exos_machine()->cpus;
}

/* Leave init one slot; empty all the others, which can then be given away. */
void time_start(void)
{
	const struct exos_grant *g;
	exo_slot own = exos_grant("env", 0)->slot;

	exo_slot_set(time_claim(0), SLOT_INIT, own);
	for (unsigned n = 0; (g = exos_grant("slots", n)) != NULL; n++)
		for (uint64_t slot = g->lo; slot < g->hi; slot++)
			if (g->unit != 0 || slot != SLOT_INIT)
				exo_slot_set(g->slot, slot, 0);
}
