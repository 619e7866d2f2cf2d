/* SPDX-License-Identifier: MIT */
/*
 * calls.c - a call that does next to nothing, and an invalid instruction that a handler steps over.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include "linux.h"

static uint64_t sum, faults;

static void null_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = rounds; i; i--)
		sum += (uint64_t)getppid();
}

/* The parent is the first process. */
static const char *null_check(uint32_t rounds)
{
	return sum == rounds ? NULL : "an answer was wrong";
}

static const struct bench_row null_call = {
	.name = "null_call", .way = "getppid", .rounds = 200, .share = 1,
	.run = null_run, .check = null_check,
};
BENCH_ROW(null_call);

static void step_over(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
	faults++;
}

static const char *fault_begin(void)
{
	struct sigaction action = { .sa_sigaction = step_over, .sa_flags = SA_SIGINFO };

	return sigaction(SIGILL, &action, NULL) ? "no handler for SIGILL" : NULL;
}

static void fault_reset(uint32_t rounds)
{
	(void)rounds;
	faults = 0;
}

static const char *fault_check(uint32_t rounds)
{
	return faults == rounds ? NULL : "the handler did not run once a fault";
}

static const struct bench_row fault_upcall = {
	.name = "fault_upcall", .way = "SIGILL", .rounds = 200, .share = 1,
	.begin = fault_begin, .reset = fault_reset, .run = bench_fault, .check = fault_check,
};
static const struct bench_row fault_handler = {
	.name = "fault_handler_c", .way = "SIGILL", .rounds = 200, .share = 1,
	.begin = fault_begin, .reset = fault_reset, .run = bench_fault, .check = fault_check,
};
BENCH_ROW(fault_upcall);
BENCH_ROW(fault_handler);
