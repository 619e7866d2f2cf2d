/* SPDX-License-Identifier: MIT */
/*
 * prog_random_test.c - random programs and inputs: interpreter, compiled code and model agree.
 *
 * EXO_PROG_RUNS says how many programs, else as many as 15 seconds take; EXO_PROG_SEED which.
 */
// sources: exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c
// includes: exo
// flags: -D_GNU_SOURCE -O2
#include <time.h>

#include "prog_model.h"
#include "test.h"

static uint64_t state;

static uint32_t pick(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) * n >> 31);
}

static struct host_prog p;

/* Inputs and stack memory afterwards are compared too, through what the program may write. */
static void one_input(uint64_t seed, uint64_t number, bool writable)
{
	static struct model m, a, b;
	uint64_t want, interpreted, compiled;

	m.bytes = pick(8) ? 72 + pick(MODEL_INPUT_MAX - 71) : pick(73);
	m.has_stack = p.checked.stack;
	m.writable = writable;
	for (uint32_t i = 0; i < m.bytes; i++)
		m.input[i] = (uint8_t)pick(256);
	memcpy(a.input, m.input, sizeof(m.input));
	memcpy(b.input, m.input, sizeof(m.input));
	want = model_run(&m, p.insn);
	interpreted = host_prog_interpret(&p, a.input, m.bytes, writable);
	compiled = host_prog_run(&p, b.input, m.bytes);
	if (interpreted != want || compiled != want)
		test_fail("seed %llu, program %llu: model %llx, interpreter %llx, compiled %llx",
			  (unsigned long long)seed, (unsigned long long)number,
			  (unsigned long long)want, (unsigned long long)interpreted,
			  (unsigned long long)compiled);
	if (memcmp(a.input, m.input, sizeof(m.input)) || memcmp(b.input, m.input, sizeof(m.input)))
		test_fail("seed %llu, program %llu: the input differs afterwards",
			  (unsigned long long)seed, (unsigned long long)number);
}

static void one_program(uint64_t seed, uint64_t number)
{
	bool writable;

	state = seed * 0x9e3779b97f4a7c15u + number;
	for (unsigned i = 0; i < 4; i++)
		pick(2);
	writable = pick(2);
	p.count = RANDOM_MIX + (pick(4) ? 3 + pick(30) : 3 + pick(200));
	random_program(p.insn, p.count);
	if (!host_prog_check(&p, 1 + pick(64))) {
		test_fail("seed %llu, program %llu: refused at %u: %s", (unsigned long long)seed,
			  (unsigned long long)number, p.checked.next,
			  prog_reason(p.checked.reason));
		return;
	}
	host_prog_compile(&p, 1 + pick(64), writable);
	one_input(seed, number, writable);
	one_input(seed, number, writable);
}

TEST(prog_random_programs_agree)
{
	const char *runs = getenv("EXO_PROG_RUNS"), *from = getenv("EXO_PROG_SEED");
	uint64_t seed = from ? strtoull(from, NULL, 0) : (uint64_t)time(NULL), number = 0;
	uint64_t limit = runs ? strtoull(runs, NULL, 0) : UINT64_MAX;
	time_t end = time(NULL) + 15;

	host_prog_start(&p);
	while (number < limit && !test_reason[0] && (runs || number % 256 || time(NULL) < end))
		one_program(seed, number++);
	fprintf(stderr, "seed %llu: %llu programs, two inputs each\n", (unsigned long long)seed,
		(unsigned long long)number);
	CHECK(number > 1000);
}

TEST_MAIN
