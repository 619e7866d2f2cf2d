/* SPDX-License-Identifier: MIT */
/*
 * exceptions.c - how long is it from an exception of each kind to a handler in C and back?
 *
 * The kinds of the first exokernel paper: overflow, here of a division; an unaligned load; an
 * instruction that is protected; the coprocessor.  And Appel and Li's trap: a store to a page that
 * may only be read.
 */
#include "row.h"
#include "system.h"

static void traps_reset(uint32_t rounds)
{
	(void)rounds;
	system_traps = 0;
}

static const char *traps_check(uint32_t rounds)
{
	return system_traps == rounds ? NULL : "the handler did not run once an exception";
}

static const char *traps_begin(enum system_trap kind, uint32_t bytes)
{
	return system_trap_handle(kind, bytes) ? "no handler" : NULL;
}

/* An emulated processor may not look at alignment. */
static const char *unaligned_begin(void)
{
	const char *why = traps_begin(SYSTEM_ALIGN, 4);

	system_traps = 0;
	if (!why)
		bench_unaligned(1);
	return why || system_traps ? why : BENCH_SKIP "this processor takes unaligned loads";
}

static const char *divide_begin(void) { return traps_begin(SYSTEM_DIVIDE, 2); }
static const char *privileged_begin(void) { return traps_begin(SYSTEM_PROTECTION, 1); }
static const char *coprocessor_begin(void) { return traps_begin(SYSTEM_COPROCESSOR, 1); }
static void divide_end(void) { system_trap_handle(SYSTEM_DIVIDE, 0); }
static void privileged_end(void) { system_trap_handle(SYSTEM_PROTECTION, 0); }
static void coprocessor_end(void) { system_trap_handle(SYSTEM_COPROCESSOR, 0); }
static void unaligned_end(void) { system_trap_handle(SYSTEM_ALIGN, 0); }

static char *page;

static const char *store_begin(void)
{
	page = system_pages(1);
	if (!page || system_protect(page, 1, false))
		return "no page that may only be read";
	return traps_begin(SYSTEM_STORE, 2);
}

static void store_run(uint32_t rounds)
{
	bench_store(page, rounds);
}

static const char *store_check(uint32_t rounds)
{
	return *(volatile uint32_t *)page ? "a store was done" : traps_check(rounds);
}

static void store_end(void)
{
	system_trap_handle(SYSTEM_STORE, 0);
	if (page)
		system_pages_end(page, 1);
}

static const struct bench_row trap = {
	.name = "trap", .rounds = 100, .share = 1, .begin = store_begin, .reset = traps_reset,
	.run = store_run, .check = store_check, .end = store_end,
};

#define TRAP(kind) \
	static const struct bench_row except_##kind = { \
		.name = "except_" #kind, .rounds = 100, .share = 1, .begin = kind##_begin, \
		.reset = traps_reset, .run = bench_##kind, .check = traps_check, \
		.end = kind##_end, \
	}; \
	BENCH_ROW(except_##kind)
TRAP(divide);
TRAP(unaligned);
TRAP(privileged);
TRAP(coprocessor);
BENCH_ROW(trap);
