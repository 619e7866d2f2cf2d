/* SPDX-License-Identifier: MIT */
/*
 * ps.c - environments, and the memory they hold.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>

#include "jobs.h"
#include "machine.h"
#include "shell.h"

static void state_text(const struct env_info *e, char *out, size_t bytes)
{
	static const char *const text[] = {
		[EXO_STOP_NEW] = "new", [EXO_STOP_RUNS] = "waits", [EXO_STOP_EXIT] = "ended",
		[EXO_STOP_HOLDER] = "stopped", [EXO_STOP_FAULT] = "fault",
		[EXO_STOP_SPACE] = "no space",
	};

	if (!e->readable)
		string_copy(out, "?", bytes);
	else if (e->running >= 0)
		format_buffer(out, bytes, "on CPU %d", e->running);
	else
		string_copy(out, e->stop_reason < ARRAY_LEN(text) ? text[e->stop_reason] : "?",
			    bytes);
}

static uint64_t frames_all(const struct env_info *e)
{
	uint64_t sum = 0;

	for (unsigned use = 0; use < EXO_USE_COUNT; use++)
		if (use != EXO_USE_DEVICE)
			sum += e->frames[use];
	return sum;
}

int ps_run(int argc, char **argv)
{
	struct env_list list;
	char name[ENV_NAME], state[16], job[8];

	if (argc > 1)
		return commands_usage(argv[0]);
	if (!env_list_take(&list)) {
		printf("ps: out of memory\n");
		return 1;
	}
	printf("%-9s %-14s %-4s %-9s %6s %9s %9s %9s %9s %9s\n", "ENV", "NAME", "JOB", "STATE",
	       "SLOTS", "KiB", "CALLS", "FAULTS", "SLICES", "PREEMPTED");
	for (size_t i = 0; i < list.count && !term_interrupted(); i++) {
		const struct env_info *e = &list.at[i];

		state_text(e, state, sizeof(state));
		jobs_text(e->pfn, job, sizeof(job));
		printf("0x%-7lx %-14s %-4s %-9s %6u %9lu %9lu %9lu %9lu %9lu\n",
		       (unsigned long)e->pfn, env_list_name(&list, e->pfn, name), job, state,
		       e->slots, (unsigned long)frames_all(e) * 4, (unsigned long)e->calls,
		       (unsigned long)e->faults, (unsigned long)e->slices,
		       (unsigned long)e->preempted);
	}
	env_list_free(&list);
	return 0;
}
