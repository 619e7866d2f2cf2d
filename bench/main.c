/* SPDX-License-Identifier: MIT */
/*
 * main.c - the figures of the kernel's and the library's primitives, each next to its target.
 *
 * Under `-icount shift=N` with N on the boot line (icount=N) the time stamp counter counts
 * instructions, 2^N ticks each; otherwise ticks are printed and nothing is judged.
 */
#include <base/format.h>
#include <base/string.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/console.h>
#include <exos/start.h>

#include "bench.h"

#define BOOT_MUST    5000000u
#define BOOT_STRETCH 2000000u

/* From the firmware's end to here; includes what the first program printed. */
static bool boot_print(uint64_t main_tsc)
{
	uint64_t ticks = main_tsc - exos_machine()->boot_tsc;
	uint64_t ns = ticks * (1024000000000ul / bench_tsc_hz) >> 10;
	uint64_t cost = bench_scale ? ticks / bench_scale : ns;
	const char *word = cost <= BOOT_STRETCH ? "stretch" : cost <= BOOT_MUST ? "must" : "MISSED";

	printf("bench %-20s %6lu.0 %7u %7u %-8s n=1 min=%lu.0 max=%lu.0 unit=%s\n",
	       "boot_to_main", cost, BOOT_MUST, BOOT_STRETCH, bench_scale ? word : "-", cost, cost,
	       bench_scale ? "instructions" : "ns");
	return !bench_scale || cost <= BOOT_MUST;
}

int main(int argc, char **argv)
{
	uint64_t main_tsc = insn_tsc();
	unsigned missed;

	if (argc > 1)
		return bench_peer_main(argv[1]);
	if (!exos_machine() || !exos_grant("slots", 0)) {
		printf("bench: needs the grants that init gives to app\n");
		return 1;
	}
	bench_scale_read();
	bench_slots_take();
	bench_calibrate();
	bench_brief = bench_word("brief") != NULL;
	bench_head_print();
	missed = bench_word("only=") || bench_word("disk") ? 0 : !boot_print(main_tsc);
	missed += bench_table(bench_word("only="), bench_word("disk") != NULL);
	printf("bench: end missed=%u\n", missed);
	return missed != 0;
}
