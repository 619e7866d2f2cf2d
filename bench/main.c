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
#include <exos/frame.h>
#include <exos/start.h>

#include "bench.h"

#define BOOT_MUST    5000000u
#define BOOT_STRETCH 2000000u

/* From the firmware's end to here; includes what the first program printed. */
static bool boot_print(uint64_t main_tsc)
{
	static const struct bench_row row = {
		.name = "boot_to_main", .must = BOOT_MUST, .stretch = BOOT_STRETCH,
		.way = "from the end of boot services on",
	};
	struct bench_result result = { .n = 1, .operations = 1 };
	uint64_t ticks = main_tsc - exos_machine()->boot_tsc;
	uint64_t ns = ticks * (1024000000000ul / bench_tsc_hz) >> 10;

	result.median10 = 10 * (bench_scale ? ticks / bench_scale : ns);
	result.min10 = result.max10 = result.median10;
	return bench_row_print(&row, &result);
}

/* What of the usable memory this program cannot use: the kernel, init and the console have it. */
static void memory_print(void)
{
	struct exos_frame_stats stats;

	exos_frame_stats(&stats);
	bench_value_print("memory_used", "bytes",
			  (exos_machine()->ram_frames - stats.total) * EXO_PAGE_SIZE, NULL);
}

int main(int argc, char **argv)
{
	uint64_t main_tsc = insn_tsc();
	unsigned missed;
	bool whole;

	if (argc > 1)
		return bench_peer_main(argv[1]);
	if (!exos_machine() || !exos_grant("slots", 0)) {
		printf("bench: needs the grants that init gives to app\n");
		return 1;
	}
	bench_scale_read();
	bench_slots_take();
	bench_calibrate();
	if (bench_word("profile="))
		return bench_profile(bench_word("profile="));
	bench_brief = bench_word("brief") != NULL;
	bench_head_print();
	if (bench_word("scaling")) {
		bench_scaling(bench_word("only="));
		bench_end_print(0);
		return 0;
	}
	whole = !bench_word("only=") && !bench_word("disk");
	missed = whole && !boot_print(main_tsc);
	missed += bench_table(bench_word("only="), bench_word("disk") != NULL);
	if (!bench_brief && !bench_word("disk") && bench_wanted("reclaim_", bench_word("only=")))
		missed += bench_reclaim();
	if (bench_scale && !bench_brief && !bench_word("disk") &&
	    bench_wanted("share_", bench_word("only=")))
		bench_shares();
	if (whole)
		memory_print();
	bench_end_print(missed);
	return missed != 0;
}
