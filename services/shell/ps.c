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

static void heading(bool all)
{
	if (all)
		printf("%-9s %-14s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %12s\n", "ENV", "NAME",
		       "CALLS", "FAULTS", "UPCALLS", "SLOTS", "SWITCHES", "PREEMPTED", "PACKETS",
		       "BLOCKS", "TLB", "VECTORS", "COPIED");
	else
		printf("%-9s %-14s %-4s %-9s %6s %9s %9s %9s %9s %9s\n", "ENV", "NAME", "JOB",
		       "STATE", "SLOTS", "KiB", "CALLS", "FAULTS", "SLICES", "PREEMPTED");
}

/* What its page counts: exo/env.h says what each is. */
static void counters(const struct env_info *e, const char *name)
{
	const uint64_t count[] = {
		e->calls, e->faults, e->upcalls, e->slices_begun, e->slices, e->preempted,
		e->packets, e->blocks, e->invalidations, e->vector_saves,
	};

	printf("0x%-7lx %-14s", (unsigned long)e->pfn, name);
	for (unsigned i = 0; i < ARRAY_LEN(count); i++)
		printf(" %9lu", (unsigned long)count[i]);
	printf(" %12lu\n", (unsigned long)e->copied);
}

static void summary(const struct env_info *e, const char *name)
{
	char state[16], job[8];

	state_text(e, state, sizeof(state));
	jobs_text(e->pfn, job, sizeof(job));
	printf("0x%-7lx %-14s %-4s %-9s %6u %9lu %9lu %9lu %9lu %9lu\n", (unsigned long)e->pfn,
	       name, job, state, e->slots, (unsigned long)frames_all(e) * 4,
	       (unsigned long)e->calls, (unsigned long)e->faults, (unsigned long)e->slices,
	       (unsigned long)e->preempted);
}

int ps_run(int argc, char **argv)
{
	bool all = argc == 2 && !strcmp(argv[1], "-l");
	struct env_list list;
	char name[ENV_NAME];

	if (argc > 1 && !all)
		return commands_usage(argv[0]);
	if (!env_list_take(&list)) {
		printf("ps: out of memory\n");
		return 1;
	}
	heading(all);
	for (size_t i = 0; i < list.count && !term_interrupted(); i++) {
		const struct env_info *e = &list.at[i];

		if (all)
			counters(e, env_list_name(&list, e->pfn, name));
		else
			summary(e, env_list_name(&list, e->pfn, name));
	}
	env_list_free(&list);
	return 0;
}
