/* SPDX-License-Identifier: MIT */
/*
 * manyprogs.c - what deciding one packet costs if each binding is a program of its own, asked in
 * turn until one says yes: interpreted, and compiled by the kernel's compiler.
 *
 * Beside filter_N, where the kernel joins the bindings.  The packets are spread evenly over the
 * programs, so that half of them are asked on the average.
 */
#include <base/string.h>
#include <base/util.h>
#include <exos/frame.h>
#include <exos/space.h>

#include <prog/check.h>
#include <prog/interpret.h>
#include <x86/prog_compile.h>

#include "bench.h"

#define PROGRAMS 1000u
#define PACKETS  4u             /* of a round */
#define BYTES    128u           /* of each */
#define INSNS    13u
#define CODE     2048u          /* bytes of room for one compiled program */

_Static_assert(INSNS * EXO_PROG_CODE_BYTES + EXO_PROG_FRAME_BYTES <= CODE, "prog_compile.h");

static struct exo_insn program[PROGRAMS][INSNS];
static prog_entry *entry[PROGRAMS];
static uint8_t packet[PACKETS][BYTES];
static uint32_t programs, packets, wanted[PACKETS];
static uint64_t sum, pfn;
static uint8_t *run;

/* Binding n: UDP and TCP in turns, ports all over the range, as in filters.c. */
static uint8_t protocol_of(uint32_t n) { return n % 2 ? 17 : 6; }
static uint16_t port_of(uint32_t n) { return __builtin_bswap16((uint16_t)(1 + n * 37 % 65521)); }

/* Loads of r1's bytes into r3, and a jump behind the end unless they are as they should be. */
static void program_make(struct exo_insn *to, uint32_t n)
{
	enum { HALF = 0x69, BYTE = 0x71, WORD = 0x61 };
	const struct { uint8_t load; int16_t at; int32_t value; } test[] = {
		{ HALF, 12, 0x0008 }, { BYTE, 14, 0x45 }, { BYTE, 23, protocol_of(n) },
		{ WORD, 30, 0x0f02000a }, { HALF, 36, port_of(n) },
	};
	uint32_t i = 0;

	to[i++] = (struct exo_insn){ 0xb7, 0, 0, 0 };
	for (uint32_t t = 0; t < ARRAY_LEN(test); t++) {
		to[i++] = (struct exo_insn){ test[t].load, 0x13, test[t].at, 0 };
		to[i] = (struct exo_insn){ 0x55, 3, (int16_t)(INSNS - 2 - i), test[t].value };
		i++;
	}
	to[i++] = (struct exo_insn){ 0xb7, 0, 0, 1 };
	to[i] = (struct exo_insn){ 0x95, 0, 0, 0 };
}

static void packet_make(uint8_t *to, uint32_t n)
{
	static const uint8_t address[] = { 10, 0, 2, 15 };
	const uint16_t port = port_of(n);

	memset(to, 0x5a, BYTES);
	to[12] = 8;
	to[13] = 0;
	to[14] = 0x45;
	to[23] = protocol_of(n);
	memcpy(to + 30, address, sizeof(address));
	memcpy(to + 36, &port, sizeof(port));
}

static const char *programs_begin(uint32_t count)
{
	programs = count;
	packets = (uint32_t)min_u64(count, PACKETS);
	for (uint32_t n = 0; n < count; n++)
		program_make(program[n], n);
	for (uint32_t i = 0; i < packets; i++) {
		wanted[i] = (2 * i + 1) * count / (2 * packets);
		packet_make(packet[i], wanted[i]);
	}
	return NULL;
}

/* Compile program n into its place of `code`; false: it was refused. */
static bool program_compile(uint8_t *code, uint32_t n)
{
	static uint32_t mark[INSNS];
	struct prog_check checked = { .insn = program[n], .mark = mark, .count = INSNS };
	struct prog_compile made = {
		.insn = program[n], .place = mark, .code = code + n * CODE, .code_bytes = CODE,
	};

	memset(mark, 0, sizeof(mark));
	if (!prog_check(&checked, INSNS) || checked.next != INSNS)
		return false;
	prog_compile_start(&made, &checked, false);
	while (!prog_compile(&made, INSNS))
		;
	entry[n] = (prog_entry *)(run + n * CODE + made.at);
	return true;
}

/* Written through one window, run through another. */
static const char *compiled_begin(uint32_t count)
{
	const uint64_t pages = (count * CODE + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
	exo_slot claim;
	uint8_t *code;
	bool good = true;

	programs_begin(count);
	if (exos_frame_alloc(pages, &pfn, &claim) < 0)
		return "no memory for the code";
	code = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	run = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_EXEC, NULL);
	if (!code || !run)
		return "the code could not be mapped";
	for (uint32_t n = 0; n < count; n++)
		good &= program_compile(code, n);
	exos_space_window_end(code, pages);
	return good ? NULL : "a program was refused";
}

static void compiled_end(void)
{
	const uint64_t pages = (programs * CODE + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;

	exos_space_window_end(run, pages);
	exos_frame_free(pfn, pages);
}

static void interpreted_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t r = rounds; r; r--)
		for (uint32_t i = 0; i < packets; i++) {
			uint32_t n = 0;

			while (n < programs &&
			       !prog_interpret(program[n], false, packet[i], BYTES, false))
				n++;
			sum += n;
		}
}

static void compiled_run(uint32_t rounds)
{
	sum = 0;
	for (uint32_t r = rounds; r; r--)
		for (uint32_t i = 0; i < packets; i++) {
			uint32_t n = 0;

			while (n < programs && !entry[n](packet[i], BYTES))
				n++;
			sum += n;
		}
}

static const char *programs_check(uint32_t rounds)
{
	uint64_t right = 0;

	for (uint32_t i = 0; i < packets; i++)
		right += wanted[i];
	return sum == right * rounds ? NULL : "a packet went to the wrong program";
}

#define PROGS(count, each, times, which) \
	static const char *interpreted_##count##_begin(void) { return programs_begin(count); } \
	static const char *compiled_##count##_begin(void) { return compiled_begin(count); } \
	static const struct bench_row interpreted_##count = { \
		.name = "filter_interpreted_" #count, .rounds = times, .share = each, \
		.flags = which, .begin = interpreted_##count##_begin, .run = interpreted_run, \
		.check = programs_check, .way = "a program for each, one after the other", \
	}; \
	static const struct bench_row compiled_##count = { \
		.name = "filter_compiled_" #count, .rounds = times, .share = each, \
		.flags = which, .begin = compiled_##count##_begin, .run = compiled_run, \
		.check = programs_check, .end = compiled_end, \
		.way = "a program for each, one after the other", \
	}; \
	BENCH_ROW(interpreted_##count); \
	BENCH_ROW(compiled_##count)
PROGS(1, 1, 16, 0);
PROGS(10, 4, 1, 0);
PROGS(100, 4, 2, BENCH_LONG);
PROGS(1000, 4, 1, BENCH_LONG);
