/* SPDX-License-Identifier: MIT */
/*
 * fuzz_prog.c - arbitrary bytes as a program: refused, or all three who run it agree.
 */
// sources: exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c
// includes: exo
// flags: -D_GNU_SOURCE
// prepare: python3 tests/host/gen_prog.py
#include "prog_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No random programs here. */
static uint32_t pick(uint32_t n) { (void)n; return 0; }

/* One byte of options, 64 of input, the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct host_prog p;
	static struct model m, a, b;
	uint64_t want;

	if (!p.code)
		host_prog_start(&p);
	if (size < 65 + 8 || size > 65 + sizeof(p.insn))
		return 0;
	p.count = (uint32_t)((size - 65) / 8);
	memcpy(p.insn, data + 65, p.count * 8ul);
	if (!host_prog_check(&p, 1 + (data[0] & 31)))
		return 0;
	m.bytes = 64;
	m.writable = data[0] & 32;
	m.has_stack = p.checked.stack;
	memcpy(m.input, data + 1, 64);
	a = b = m;
	host_prog_compile(&p, 1 + (data[0] & 31), m.writable);
	want = model_run(&m, p.insn);
	if (host_prog_interpret(&p, a.input, 64, m.writable) != want ||
	    host_prog_run(&p, b.input, 64) != want ||
	    memcmp(a.input, m.input, 64) || memcmp(b.input, m.input, 64))
		abort();
	return 0;
}
