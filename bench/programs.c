/* SPDX-License-Identifier: MIT */
/*
 * programs.c - what a small program at the end of a NIC binding adds to a packet's cost.
 *
 * The kernel's checker and compiler by their own source; the code runs here as it runs there.
 */
#include <base/string.h>
#include <base/util.h>
#include <exo/cap.h>
#include <exos/frame.h>
#include <exos/space.h>

#include <prog/check.c>
#include <prog/interpret.c>
#include <x86/prog_compile.c>

#include "bench.h"

/* docs/programs/dns.s, assembled: 14 instructions, all of them run for a DNS answer. */
static const struct exo_insn dns[] = {
	{ 0xb7, 0x00, 0, 0 },
	{ 0xa5, 0x02, 11, 42 },
	{ 0x69, 0x13, 12, 0 },
	{ 0x55, 0x03, 9, 8 },
	{ 0x71, 0x13, 14, 0 },
	{ 0x55, 0x03, 7, 69 },
	{ 0x71, 0x13, 23, 0 },
	{ 0x55, 0x03, 5, 17 },
	{ 0xb7, 0x00, 0, 1 },
	{ 0x69, 0x13, 34, 0 },
	{ 0xdc, 0x03, 0, 16 },
	{ 0x55, 0x03, 1, 53 },
	{ 0xb7, 0x00, 0, 2 },
	{ 0x95, 0x00, 0, 0 },
};
static const struct exo_insn nothing[] = { { OPCODE_EXIT, 0, 0, 0 } };

static prog_entry *entry;
static uint64_t sum;
static uint8_t packet[128];

/* Compile into a frame of our own, then map it to be executed. */
static const char *program_begin(const struct exo_insn *insn, uint32_t count)
{
	static uint32_t mark[32];
	struct prog_check checked = { .insn = insn, .mark = mark, .count = count };
	struct prog_compile made = { .insn = insn, .place = mark, .code_bytes = EXO_PAGE_SIZE };
	uint64_t pfn;
	exo_slot claim;
	uint8_t *run;

	memset(mark, 0, sizeof(mark));
	if (!prog_check(&checked, count) || checked.next != count)
		return "the program was refused";
	if (exos_frame_alloc(1, &pfn, &claim) < 0)
		return "no memory for its code";
	made.code = exos_space_window(claim, pfn, 1, EXO_R_READ | EXO_R_WRITE, NULL);
	if (!made.code)
		return "its code could not be mapped";
	prog_compile_start(&made, &checked, false);
	while (!prog_compile(&made, count))
		;
	exos_space_window_end(made.code, 1);
	run = exos_space_window(claim, pfn, 1, EXO_R_READ | EXO_R_EXEC, NULL);
	if (!run)
		return "its code could not be mapped to run";
	entry = (prog_entry *)(run + made.at);
	return NULL;
}

static const char *dns_begin(void)
{
	packet[12] = 8;
	packet[14] = 0x45;
	packet[23] = 17;
	packet[35] = 53;
	return program_begin(dns, ARRAY_LEN(dns));
}

static const char *nothing_begin(void)
{
	return program_begin(nothing, ARRAY_LEN(nothing));
}

static void program_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = 0; i < rounds; i++)
		sum += entry(packet, sizeof(packet));
}

static const char *dns_check(uint32_t rounds)
{
	return sum == 2 * (uint64_t)rounds ? NULL : "the program chose another ring";
}

static const char *nothing_check(uint32_t rounds)
{
	(void)rounds;
	return sum == 0 ? NULL : "the program did not return 0";
}

static const struct bench_row prog_dns = {
	.name = "prog_dns_14", .rounds = 100, .share = 1,
	.begin = dns_begin, .run = program_run, .check = dns_check,
};

static const struct bench_row prog_exit = {
	.name = "prog_exit_1", .rounds = 100, .share = 1,
	.begin = nothing_begin, .run = program_run, .check = nothing_check,
};

/* The same by the reference, which the kernel does not have. */
static void interpret_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t i = 0; i < rounds; i++)
		sum += prog_interpret(dns, false, packet, sizeof(packet), false);
}

static const struct bench_row prog_interpreted = {
	.name = "prog_dns_14_interpret", .rounds = 20, .share = 1,
	.begin = dns_begin, .run = interpret_run, .check = dns_check,
};

BENCH_ROW(prog_exit);
BENCH_ROW(prog_dns);
BENCH_ROW(prog_interpreted);
