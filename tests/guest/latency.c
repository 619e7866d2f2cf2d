/* SPDX-License-Identifier: MIT */
/*
 * latency.c - the longest times with interrupts off, as the kernel measured them over the suite.
 *
 * Instructions only: where the boot line says both `latency` and `icount=N`, a time stamp advances
 * by 2^N an instruction.
 */
#include <exo/machine.h>
#include <exos/console.h>
#include <exos/start.h>
#include "suite.h"

#define MUST    20000u
#define TELL    4000u           /* what is longer is printed */

static const char *const calls[0x100] = {
#define EXO_CALL(number, name, args, text) [(number) - 0x4000] = #name,
#define EXO_SWITCH(number, name, args, text) [(number) - 0x4000] = #name,
#include <exo/syscalls.def>
};

static void tell(unsigned cause, uint32_t instructions)
{
	const char *name = cause >= EXO_LATENCY_CALL && cause < EXO_LATENCY_FOREIGN
				   ? calls[cause - EXO_LATENCY_CALL]
				   : NULL;

	if (name)
		printf("latency: %u instructions in %s\n", instructions, name);
	else if (cause == EXO_LATENCY_IDLE)
		printf("latency: %u instructions in the idle loop\n", instructions);
	else
		printf("latency: %u instructions at vector 0x%x\n", instructions, cause);
}

bool suite_latency_measured(void)
{
	return suite_word("latency") && suite_word("icount");
}

static uint32_t longest_of_all(void)
{
	const struct exo_machine *m = exos_machine();
	unsigned shift = (unsigned)(suite_word("icount")[0] - '0');
	uint32_t most = 0;

	for (unsigned cause = 0; cause < EXO_LATENCY_CAUSES; cause++) {
		uint32_t longest = 0;

		for (uint32_t cpu = 0; cpu < m->cpus; cpu++) {
			const struct exo_latency *l = exos_machine_at(
				m->stats_off + cpu * EXO_PAGE_SIZE + EXO_LATENCY_OFF);

			if (l->longest[cause] >> shift > longest)
				longest = l->longest[cause] >> shift;
		}
		if (longest > TELL)
			tell(cause, longest);
		if (longest > most)
			most = longest;
	}
	printf("latency: %u instructions at most with interrupts off\n", most);
	return most;
}

bool suite_latency_good(void)
{
	uint32_t most = longest_of_all();

	return most && most <= MUST;
}
