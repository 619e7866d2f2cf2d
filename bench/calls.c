/* SPDX-License-Identifier: MIT */
/*
 * calls.c - rows that stay in one environment and one space: null_call, fault_upcall.
 */
#include <base/util.h>
#include <exos/call.h>
#include <exos/start.h>
#include <exos/upcall.h>

#include "bench.h"
#include "x86/page.h"

_Static_assert(PAGE_VA == EXOS_ENV_VA, "page.h");
_Static_assert(PAGE_OFF - PAGE_VA == offsetof(struct exo_env_page, upcalls_off), "page.h");
_Static_assert(AREA - PAGE_VA == offsetof(struct exo_env_page, area), "page.h");
_Static_assert(AREA_RIP - AREA == offsetof(struct exo_context, rip), "page.h");
_Static_assert(AREA_RFLAGS - AREA == offsetof(struct exo_context, rflags), "page.h");
_Static_assert(AREA_RSP - AREA == offsetof(struct exo_context, rsp), "page.h");

static uint64_t answers;

static const char *null_begin(void)
{
	return NULL;
}

static void null_run(uint32_t rounds)
{
	answers = bench_null(rounds);
}

static const char *null_check(uint32_t rounds)
{
	return answers == rounds * (uint64_t)exo_version() ? NULL : "an answer was wrong";
}

static const struct bench_row null_call = {
	.name = "null_call", .must = 50, .stretch = 30, .rounds = 200, .share = 1,
	.begin = null_begin, .run = null_run, .check = null_check,
};

/* The library's entries are put back afterwards. */
static uint64_t saved_rip, saved_lo, saved_hi;

static const char *fault_begin(void)
{
	struct exo_env_page *page = exos_page();

	if ((uintptr_t)page != EXOS_ENV_VA)
		return "the environment page is not at its usual address";
	saved_rip = page->fault_rip;
	saved_lo = page->resume_lo;
	saved_hi = page->resume_hi;
	page->fault_rip = (uintptr_t)bench_fault_entry;
	page->resume_lo = (uintptr_t)bench_fault_lo;
	page->resume_hi = (uintptr_t)bench_fault_hi;
	return NULL;
}

static void fault_end(void)
{
	struct exo_env_page *page = exos_page();

	page->fault_rip = saved_rip;
	page->resume_lo = saved_lo;
	page->resume_hi = saved_hi;
}

static void fault_reset(uint32_t rounds)
{
	(void)rounds;
	bench_faults = 0;
}

static const char *fault_check(uint32_t rounds)
{
	return bench_faults == rounds ? NULL : "the handler did not run once a fault";
}

static const struct bench_row fault_upcall = {
	.name = "fault_upcall", .must = 120, .stretch = 70, .rounds = 200, .share = 1,
	.begin = fault_begin, .reset = fault_reset, .run = bench_fault, .check = fault_check,
	.end = fault_end,
};

/* The same through the library: all registers saved, a C function chosen by vector. */
static int step_over(struct exo_context *context, void *argument)
{
	(void)argument;
	context->rip += 2;
	bench_faults++;
	return 0;
}

static const char *handler_begin(void)
{
	return exos_upcall_handle(6, step_over, NULL) == 0 ? NULL : "no handler for vector 6";
}

static void handler_end(void)
{
	exos_upcall_handle(6, NULL, NULL);
}

static const struct bench_row fault_handler = {
	.name = "fault_handler_c", .rounds = 200, .share = 1,
	.begin = handler_begin, .reset = fault_reset, .run = bench_fault, .check = fault_check,
	.end = handler_end,
};

BENCH_ROW(null_call);
BENCH_ROW(fault_upcall);
BENCH_ROW(fault_handler);
