/* SPDX-License-Identifier: MIT */
/*
 * prog_vectors_test.c - every instruction, at its edges, with answers worked out by hand.
 *
 * Each vector runs interpreted and compiled.  Then what is refused, each with its reason.
 */
// sources: exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c
// includes: exo
// flags: -D_GNU_SOURCE
#include "prog_host.h"
#include "test.h"

#define I(op, d, s, off, number) \
	{ .opcode = (op), .regs = (d) | (s) << 4, .offset = (off), .imm = (int32_t)(number) }
#define EXIT I(0x95, 0, 0, 0, 0)
#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct host_prog p;
static uint8_t seen[256];       /* opcodes that some vector ran */
static uint8_t memory[64];

static void start(void)
{
	if (!p.code)
		host_prog_start(&p);
	p.count = 0;
}

static void put(struct exo_insn i)
{
	p.insn[p.count++] = i;
	seen[i.opcode] = 1;
}
#define PUT(...) put((struct exo_insn)I(__VA_ARGS__))

static void put_wide(unsigned d, uint64_t v)
{
	PUT(0x18, d, 0, 0, v);
	p.insn[p.count++] = (struct exo_insn)I(0, 0, 0, 0, v >> 32);
}

/* Both ways, on fresh memory of `bytes` bytes 1, 2, 3 ... */
static void expect(const char *what, uint64_t bytes, bool writable, uint64_t want)
{
	uint64_t got[2];

	put((struct exo_insn)EXIT);
	if (!host_prog_check(&p, 3)) {
		test_fail("%s: refused at %u: %s", what, p.checked.next,
			  prog_reason(p.checked.reason));
		return;
	}
	host_prog_compile(&p, 3, writable);
	for (unsigned way = 0; way < 2; way++) {
		for (unsigned i = 0; i < sizeof(memory); i++)
			memory[i] = (uint8_t)(i + 1);
		got[way] = way ? host_prog_run(&p, memory, bytes) :
		                 host_prog_interpret(&p, memory, bytes, writable);
	}
	if (got[0] != want || got[1] != want)
		test_fail("%s: interpreted %llx, compiled %llx, expected %llx", what,
			  (unsigned long long)got[0], (unsigned long long)got[1],
			  (unsigned long long)want);
}

/* --- arithmetic --- */

#define TOP 0x8000000000000000u
#define ONES 0xffffffffffffffffu

static const struct alu {
	const char *name;
	uint8_t op;             /* bits 7:4 of the opcode */
	int16_t offset;
	uint64_t a, b;          /* b fits a signed number of 32 bits, or immediates are left out */
	uint64_t wide, narrow;
} alus[] = {
	{ "add", 0x00, 0, 5, 7, 12, 12 },
	{ "add carries", 0x00, 0, 0xffffffff, 1, 0x100000000, 0 },
	{ "add -1", 0x00, 0, 0, ONES, ONES, 0xffffffff },
	{ "sub", 0x10, 0, 5, 7, 0xfffffffffffffffe, 0xfffffffe },
	{ "sub min", 0x10, 0, 0, 0xffffffff80000000, 0x80000000, 0x80000000 },
	{ "mul", 0x20, 0, 0x100000003, 5, 0x50000000f, 15 },
	{ "mul -1", 0x20, 0, 3, ONES, 0xfffffffffffffffd, 0xfffffffd },
	{ "div", 0x30, 0, 100, 7, 14, 14 },
	{ "div by 0", 0x30, 0, 100, 0, 0, 0 },
	{ "div by a large number", 0x30, 0, ONES, ONES, 1, 1 },
	{ "div of more than 32 bits", 0x30, 0, 0x1000000000, 16, 0x100000000, 0 },
	{ "div by -10, without a sign", 0x30, 0, ONES, 0xfffffffffffffff6, 1, 1 },
	{ "div by 0 in the lower half", 0x30, 0, 1, 0x100000000, 0, 0 },
	{ "sdiv", 0x30, 1, 0xffffffffffffff9c, 7, 0xfffffffffffffff2, 0xfffffff2 },
	{ "sdiv by 0", 0x30, 1, 5, 0, 0, 0 },
	{ "sdiv overflows", 0x30, 1, TOP, ONES, TOP, 0 },
	{ "sdiv overflows in 32 bits", 0x30, 1, 0x80000000, ONES, 0xffffffff80000000, 0x80000000 },
	{ "or", 0x40, 0, 0xf0f0f0f0f0, 0x0f, 0xf0f0f0f0ff, 0xf0f0f0ff },
	{ "or -2", 0x40, 0, 1, 0xfffffffffffffffe, ONES, 0xffffffff },
	{ "and", 0x50, 0, 0xff00ff00ff, 0x0ff0, 0x00f0, 0x00f0 },
	{ "and -16", 0x50, 0, ONES, 0xfffffffffffffff0, 0xfffffffffffffff0, 0xfffffff0 },
	{ "lsh", 0x60, 0, 0x180000001, 1, 0x300000002, 2 },
	{ "lsh 0", 0x60, 0, 0x180000001, 0, 0x180000001, 0x80000001 },
	{ "lsh 32", 0x60, 0, 1, 32, 0x100000000, 1 },
	{ "lsh 65", 0x60, 0, 1, 65, 2, 2 },
	{ "lsh -4", 0x60, 0, 0x11, 0xfffffffffffffffc, TOP >> 3, 0x10000000 },
	{ "rsh", 0x70, 0, TOP | 0x80000000, 4, 0x0800000008000000, 0x08000000 },
	{ "rsh 0", 0x70, 0, TOP | 5, 0, TOP | 5, 5 },
	{ "rsh 63", 0x70, 0, TOP, 63, 1, 0 },
	{ "rsh -24", 0x70, 0, ONES, 0xffffffffffffffe8, 0xffffff, 0x00ffffff },
	{ "mod", 0x90, 0, 100, 7, 2, 2 },
	{ "mod by 0", 0x90, 0, 0x500000005, 0, 0x500000005, 5 },
	{ "mod by a large number", 0x90, 0, 0x100000000, ONES, 0x100000000, 0 },
	{ "smod of two below 0", 0x90, 1, 0xfffffffffffffff3, 0xfffffffffffffffd, ONES,
	  0xffffffff },
	{ "smod", 0x90, 1, 0xffffffffffffff9c, 7, 0xfffffffffffffffe, 0xfffffffe },
	{ "smod by -7", 0x90, 1, 100, 0xfffffffffffffff9, 2, 2 },
	{ "smod by 0", 0x90, 1, 0x8000000080000001, 0, 0x8000000080000001, 0x80000001 },
	{ "smod overflows", 0x90, 1, TOP, ONES, 0, 0 },
	{ "smod overflows in 32 bits", 0x90, 1, 0x80000000, ONES, 0, 0 },
	{ "xor", 0xa0, 0, 0xff00000ff, 0xf0, 0xff000000f, 0xf000000f },
	{ "xor -1", 0xa0, 0, 0, ONES, ONES, 0xffffffff },
	{ "mov", 0xb0, 0, 1, 0xffffffff80000000, 0xffffffff80000000, 0x80000000 },
	{ "arsh", 0xc0, 0, TOP | 0x80000000, 4, 0xf800000008000000, 0xf8000000 },
	{ "arsh 0", 0xc0, 0, TOP | 0x80000000, 0, TOP | 0x80000000, 0x80000000 },
	{ "arsh 63", 0xc0, 0, TOP, 63, ONES, 0 },
	{ "arsh -4", 0xc0, 0, TOP | 0x80000000, 0xfffffffffffffffc, 0xfffffffffffffff8,
	  0xfffffff8 },
};

/* The operation on every pair of registers, r10 read too; all others keep what they had. */
static void alu_registers(const struct alu *t, bool wide, unsigned d, unsigned s)
{
	put_wide(d, t->a);
	put_wide(s, t->b);
	PUT((wide ? 0x0f : 0x0c) | t->op, d, s, t->offset, 0);
	if (d)
		PUT(0xbf, 0, d, 0, 0);
	expect(t->name, 0, false, wide ? t->wide : t->narrow);
}

TEST(prog_vectors_arithmetic)
{
	for (unsigned n = 0; n < N(alus); n++) {
		const struct alu *t = &alus[n];

		for (unsigned wide = 0; wide < 2; wide++) {
			for (unsigned d = 0; d < 10; d++)
				for (unsigned s = 0; s < 10; s++) {
					start();
					if (s != d)
						alu_registers(t, wide, d, s);
				}
			start();
			put_wide(3, t->a);
			PUT((wide ? 0x07 : 0x04) | t->op, 3, 0, t->offset, t->b);
			PUT(0xbf, 0, 3, 0, 0);
			expect(t->name, 0, false, wide ? t->wide : t->narrow);
		}
	}
}

TEST(prog_vectors_one_operand)
{
	static const struct {
		const char *name;
		uint8_t op;
		int16_t off;
		int imm;
		uint64_t a, want;
	} t[] = {
		{ "neg", 0x87, 0, 0, 5, 0xfffffffffffffffb },
		{ "neg32", 0x84, 0, 0, 5, 0xfffffffb },
		{ "neg min", 0x87, 0, 0, TOP, TOP },
		{ "neg32 min", 0x84, 0, 0, 0x80000000, 0x80000000 },
		{ "neg32 cuts", 0x84, 0, 0, 0x100000000, 0 },
		{ "le16", 0xd4, 0, 16, 0x1122334455667788, 0x7788 },
		{ "le32", 0xd4, 0, 32, 0x1122334455667788, 0x55667788 },
		{ "le64", 0xd4, 0, 64, 0x1122334455667788, 0x1122334455667788 },
		{ "be16", 0xdc, 0, 16, 0x1122334455667788, 0x8877 },
		{ "be32", 0xdc, 0, 32, 0x1122334455667788, 0x88776655 },
		{ "be64", 0xdc, 0, 64, 0x1122334455667788, 0x8877665544332211 },
		{ "bswap16", 0xd7, 0, 16, 0x1122334455667788, 0x8877 },
		{ "bswap32", 0xd7, 0, 32, 0x1122334455667788, 0x88776655 },
		{ "bswap64", 0xd7, 0, 64, 0x1122334455667788, 0x8877665544332211 },
	};
	static const struct { uint8_t op; int16_t off; uint64_t a, want; } m[] = {
		{ 0xbf, 8, 0x1180, 0xffffffffffffff80 }, { 0xbf, 8, 0xff7f, 0x7f },
		{ 0xbf, 16, 0x118000, 0xffffffffffff8000 }, { 0xbf, 16, 0x117fff, 0x7fff },
		{ 0xbf, 32, 0x1180000000, 0xffffffff80000000 },
		{ 0xbf, 32, 0x117fffffff, 0x7fffffff },
		{ 0xbc, 8, 0x1180, 0xffffff80 }, { 0xbc, 8, 0xff7f, 0x7f },
		{ 0xbc, 16, 0x118000, 0xffff8000 }, { 0xbc, 16, 0x117fff, 0x7fff },
	};

	for (unsigned r = 0; r < 10; r++) {
		for (unsigned n = 0; n < N(t); n++) {
			start();
			put_wide(r, t[n].a);
			PUT(t[n].op, r, 0, t[n].off, t[n].imm);
			PUT(0xbf, 0, r, 0, 0);
			expect(t[n].name, 0, false, t[n].want);
		}
		for (unsigned n = 0; n < N(m); n++) {
			start();
			put_wide(r, m[n].a);
			PUT(m[n].op, 9 - r, r, m[n].off, 0);
			PUT(0xbf, 0, 9 - r, 0, 0);
			expect("movsx", 0, false, m[n].want);
		}
	}
}

/* --- jumps: the condition for a below, equal to, above b, with and without sign --- */

static const struct jump {
	uint8_t op;
	uint64_t a, b;
	bool wide, narrow;
} jumps[] = {
	{ 0x10, 5, 5, 1, 1 }, { 0x10, 5, 6, 0, 0 }, { 0x10, 0x100000005, 5, 0, 1 },
	{ 0x20, 6, 5, 1, 1 }, { 0x20, 5, 5, 0, 0 }, { 0x20, ONES, 5, 1, 1 },
	{ 0x20, 5, ONES, 0, 0 },
	{ 0x30, 5, 5, 1, 1 }, { 0x30, 4, 5, 0, 0 }, { 0x30, 0x100000000, 1, 1, 0 },
	{ 0x40, 6, 2, 1, 1 }, { 0x40, 6, 1, 0, 0 }, { 0x40, 0x100000000, ONES, 1, 0 },
	{ 0x40, 0xffffffff00000000, 0xffffffff80000000, 1, 0 },
	{ 0x50, 5, 6, 1, 1 }, { 0x50, 5, 5, 0, 0 }, { 0x50, 0x100000005, 5, 1, 0 },
	{ 0x60, 5, ONES, 1, 1 }, { 0x60, ONES, 5, 0, 0 }, { 0x60, 0x80000000, 5, 1, 0 },
	{ 0x70, 5, 5, 1, 1 }, { 0x70, ONES, 5, 0, 0 }, { 0x70, 0xffffffff, 0, 1, 0 },
	{ 0xa0, 4, 5, 1, 1 }, { 0xa0, 5, 5, 0, 0 }, { 0xa0, 5, ONES, 1, 1 },
	{ 0xb0, 5, 5, 1, 1 }, { 0xb0, 6, 5, 0, 0 }, { 0xb0, 0x100000000, 1, 0, 1 },
	{ 0xc0, ONES, 5, 1, 1 }, { 0xc0, 5, 5, 0, 0 }, { 0xc0, 0x80000000, 5, 0, 1 },
	{ 0xd0, 5, 5, 1, 1 }, { 0xd0, 5, ONES, 0, 0 }, { 0xd0, 0xffffffff, 0, 0, 1 },
};

TEST(prog_vectors_jumps)
{
	for (unsigned n = 0; n < N(jumps); n++)
		for (unsigned form = 0; form < 4; form++) {
			const struct jump *t = &jumps[n];
			bool wide = form & 1, reg = form & 2;

			start();
			put_wide(4, t->a);
			put_wide(5, t->b);
			PUT(t->op | (wide ? 5 : 6) | (reg ? 8 : 0), 4, reg ? 5 : 0, 1,
			    reg ? 0 : t->b);
			put((struct exo_insn)EXIT);
			PUT(0xb7, 0, 0, 0, 1);
			expect("jump", 0, false, wide ? t->wide : t->narrow);
		}
	start();
	PUT(0x05, 0, 0, 1, 0);
	put((struct exo_insn)EXIT);
	PUT(0x06, 0, 0, 0, 1);
	put((struct exo_insn)EXIT);
	PUT(0xb7, 0, 0, 0, 7);
	expect("ja and ja32", 0, false, 7);
	/* r10, on both sides. */
	start();
	PUT(0xbf, 1, 10, 0, 0);
	PUT(0x1d, 10, 1, 1, 0);
	put((struct exo_insn)EXIT);
	PUT(0x5d, 1, 10, 2, 0);
	PUT(0x15, 10, 0, 1, EXO_PROG_STACK + EXO_PROG_STACK_BYTES);
	put((struct exo_insn)EXIT);
	PUT(0xb7, 0, 0, 0, 7);
	expect("r10 compared", 0, false, 7);
}

/* --- memory --- */

TEST(prog_vectors_memory)
{
	static const struct { uint8_t op; int16_t off; uint64_t bytes, want; } t[] = {
		{ 0x71, 0, 1, 1 }, { 0x71, 0, 0, 0 }, { 0x71, 63, 64, 64 }, { 0x71, 64, 64, 0 },
		{ 0x71, -1, 64, 0 }, { 0x69, 1, 3, 0x0302 }, { 0x69, 1, 2, 0 }, { 0x69, -1, 9, 0 },
		{ 0x61, 2, 6, 0x06050403 }, { 0x61, 3, 6, 0 }, { 0x61, 0, 3, 0 },
		{ 0x79, 0, 8, 0x0807060504030201 }, { 0x79, 1, 8, 0 }, { 0x79, 0, 7, 0 },
		{ 0x79, 32767, 64, 0 }, { 0x79, -32768, 64, 0 },
		{ 0x91, 3, 4, 4 }, { 0x89, 0, 2, 0x0201 }, { 0x81, 0, 4, 0x04030201 },
	};

	for (unsigned n = 0; n < N(t); n++)
		for (unsigned r = 0; r < 10; r++)
			for (unsigned stack = 0; stack < 2; stack++) {
				start();
				if (stack)
					PUT(0xbf, 3, 10, 0, 0);
				if (r != 1)
					PUT(0xbf, r, 1, 0, 0);
				PUT(t[n].op, 0, r, t[n].off, 0);
				expect("load", t[n].bytes, false, t[n].want);
			}
}

/* Sign extension, by way of the stack, and what stores leave alone. */
TEST(prog_vectors_stack)
{
	static const struct { uint8_t store, load; uint64_t value, want; } t[] = {
		{ 0x73, 0x71, 0x1180, 0x80 }, { 0x73, 0x91, 0x1180, 0xffffffffffffff80 },
		{ 0x6b, 0x69, 0x118000, 0x8000 }, { 0x6b, 0x89, 0x118000, 0xffffffffffff8000 },
		{ 0x63, 0x61, 0x1180000000, 0x80000000 },
		{ 0x63, 0x81, 0x1180000000, 0xffffffff80000000 },
		{ 0x7b, 0x79, 0x1122334455667788, 0x1122334455667788 },
		{ 0x73, 0x79, 0x1122334455667788, 0x88 },
		{ 0x6b, 0x79, 0x1122334455667788, 0x7788 },
		{ 0x63, 0x79, 0x1122334455667788, 0x55667788 },
	};
	static const struct { uint8_t store; uint64_t want; } k[] = {
		{ 0x72, 0xf0 }, { 0x6a, 0xfff0 }, { 0x62, 0xfffffff0 },
		{ 0x7a, 0xfffffffffffffff0 },
	};

	for (unsigned n = 0; n < N(t); n++)
		for (unsigned direct = 0; direct < 2; direct++) {
			start();
			put_wide(4, t[n].value);
			PUT(0xbf, 9, 10, 0, 0);
			PUT(t[n].store, direct ? 10 : 9, 4, -8, 0);
			PUT(t[n].load, 0, direct ? 9 : 10, -8, 0);
			expect("stack", 0, false, t[n].want);
		}
	for (unsigned n = 0; n < N(k); n++) {
		start();
		PUT(k[n].store, 10, 0, -512, -16);
		PUT(0x79, 0, 10, -512, 0);
		expect("store of a number", 0, false, k[n].want);
	}
	start();
	PUT(0x7b, 10, 10, -8, 0);
	PUT(0x79, 0, 10, -8, 0);
	expect("r10 stored", 0, false, EXO_PROG_STACK + EXO_PROG_STACK_BYTES);
}

/* What lies outside ends the program with 0, from every side and with every size. */
TEST(prog_vectors_outside)
{
	static const uint8_t stores[] = { 0x72, 0x6a, 0x62, 0x7a, 0x73, 0x6b, 0x63, 0x7b };
	static const uint64_t where[] = { 0, 0xffffff, EXO_PROG_INPUT - 1, EXO_PROG_INPUT + 64,
		EXO_PROG_STACK - 1, EXO_PROG_STACK + 512, ONES, TOP, 0xffff800000000000,
		EXO_PROG_INPUT + 0x100000000, EXO_PROG_STACK + 0x100000000 };

	for (unsigned n = 0; n < N(where); n++)
		for (unsigned o = 0; o < 2 * N(stores); o++) {
			uint8_t op = o < N(stores) ? stores[o] : (uint8_t)(0x61 + (o & 3) * 8);

			for (unsigned stack = 0; stack < 2; stack++) {
				start();
				if (stack)
					PUT(0xbf, 3, 10, 0, 0);
				PUT(0xb7, 0, 0, 0, 1);
				put_wide(2, where[n]);
				if ((op & 7) == 1)
					PUT(op, 4, 2, 0, 0);
				else
					PUT(op, 2, op & 1 ? 4 : 0, 0, 0);
				expect("outside", 64, true, 0);
			}
		}
	for (int off = -530; off < 20; off += 1) {
		start();
		PUT(0xb7, 0, 0, 0, 1);
		PUT(0x79, 4, 10, off, 0);
		expect("near the stack", 64, true, off >= -512 && off <= -8);
	}
}

TEST(prog_vectors_input_is_read_only_unless_said)
{
	for (unsigned writable = 0; writable < 2; writable++) {
		start();
		PUT(0xb7, 0, 0, 0, 1);
		PUT(0x7a, 1, 0, 56, -2);
		PUT(0x79, 0, 1, 56, 0);
		expect("store", 64, writable, writable ? 0xfffffffffffffffe : 0);
	}
}

/* A program that never names r10 has no stack, wherever it guesses one. */
TEST(prog_vectors_no_stack)
{
	start();
	PUT(0xb7, 0, 0, 0, 1);
	PUT(0xb7, 2, 0, 0, EXO_PROG_STACK);
	PUT(0x71, 3, 2, 0, 0);
	expect("no stack", 64, true, 0);
}

TEST(prog_vectors_begin)
{
	for (unsigned r = 0; r < 11; r++) {
		start();
		PUT(0xbf, 0, r, 0, 0);
		expect("register", 5, false, r == 1 ? EXO_PROG_INPUT : r == 2 ? 5 :
		       r == 10 ? EXO_PROG_STACK + EXO_PROG_STACK_BYTES : 0);
	}
	start();
	for (int at = -512; at < 0; at += 8) {
		PUT(0x79, 3, 10, at, 0);
		PUT(0x4f, 0, 3, 0, 0);
	}
	expect("the stack is zero", 0, false, 0);
}

TEST(prog_vectors_longest)
{
	start();
	while (p.count < EXO_PROG_MAX - 1)
		PUT(0x07, 0, 0, 0, 3);
	expect("4,096 instructions", 0, false, 3 * (EXO_PROG_MAX - 1));
	CHECK(p.checked.cost == EXO_PROG_MAX && p.checked.cost == EXO_PROG_PACKET_COST);
	start();
	PUT(0x05, 0, 0, EXO_PROG_MAX - 3, 0);
	while (p.count < EXO_PROG_MAX - 1)
		PUT(0x37, 0, 0, 1, -1);
	expect("a jump over all", 0, false, 0);
	CHECK(p.checked.cost == 2 + (EXO_PROG_MAX - 2) * EXO_PROG_COST_DIVIDE);
	/* The longest code there is for each. */
	start();
	PUT(0xbf, 3, 10, 0, 0);
	while (p.count < EXO_PROG_MAX - 1)
		PUT(0x6b, 1, 10, 0, 0);
	expect("long code", 64, true, 0);
	CHECK(p.checked.cost == 2 + EXO_PROG_COST_R10 + (EXO_PROG_MAX - 2) *
	      (EXO_PROG_COST_MEMORY + EXO_PROG_COST_STACK + EXO_PROG_COST_R10));
	CHECK(p.made.code_bytes - p.made.at < p.made.code_bytes - EXO_PROG_MAX);
}

/* All that the check lets pass was run above. */
TEST(prog_vectors_are_complete)
{
	for (unsigned op = 0; op < 256; op++) {
		bool good = false;

		for (unsigned form = 0; form < 16 && !good; form++) {
			start();
			p.insn[0] = (struct exo_insn)I(op, 0, 0, 0, form & 1 ? 16 : 0);
			p.insn[1] = (struct exo_insn)EXIT;
			if (op == 0x18)
				p.insn[1].opcode = 0;
			p.insn[2] = (struct exo_insn)EXIT;
			p.count = 3;
			good = host_prog_check(&p, 9);
		}
		if (good != seen[op])
			test_fail("opcode %02x is %s, but no vector says so", op,
				  good ? "let pass" : "refused");
	}
}

/* --- what is refused --- */

TEST(prog_vectors_refused)
{
	static const struct {
		enum exo_prog_reason reason;
		unsigned count;
		struct exo_insn i[3];
	} t[] = {
		{ EXO_PROG_LENGTH, 0, { EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0x00, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_CALL, 2, { I(0x8d, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0xe5, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0x8f, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0x96, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0x0d, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0x99, 0, 1, 0, 0), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0xdf, 0, 0, 0, 16), EXIT } },
		{ EXO_PROG_OPCODE, 2, { I(0xd4, 0, 0, 0, 8), EXIT } },
		{ EXO_PROG_ATOMIC, 2, { I(0xdb, 1, 0, 0, 0), EXIT } },
		{ EXO_PROG_ATOMIC, 2, { I(0xc3, 1, 0, 0, 0x41), EXIT } },
		{ EXO_PROG_CALL, 2, { I(0x85, 0, 0, 0, 1), EXIT } },
		{ EXO_PROG_CALL, 2, { I(0x85, 0, 1, 0, 0), EXIT } },
		{ EXO_PROG_PACKET, 2, { I(0x20, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_PACKET, 2, { I(0x48, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_MAPREF, 3, { I(0x18, 0, 1, 0, 0), I(0, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_REGISTER, 2, { I(0xb7, 10, 0, 0, 0), EXIT } },
		{ EXO_PROG_REGISTER, 2, { I(0xb7, 11, 0, 0, 0), EXIT } },
		{ EXO_PROG_REGISTER, 2, { I(0xbf, 0, 15, 0, 0), EXIT } },
		{ EXO_PROG_REGISTER, 2, { I(0x79, 10, 1, 0, 0), EXIT } },
		{ EXO_PROG_REGISTER, 3, { I(0x18, 10, 0, 0, 0), I(0, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0xb7, 0, 1, 0, 0), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0xbf, 0, 1, 0, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x07, 0, 0, 1, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x37, 0, 0, 2, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0xb7, 0, 0, 8, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0xbc, 0, 0, 32, 0), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x87, 0, 0, 0, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0xd4, 0, 1, 0, 16), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x71, 0, 1, 0, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x72, 10, 1, -1, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x73, 10, 1, -1, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x05, 0, 0, 0, 1), EXIT } },
		{ EXO_PROG_UNUSED, 2, { I(0x06, 0, 0, 1, 0), EXIT } },
		{ EXO_PROG_UNUSED, 1, { I(0x95, 0, 0, 0, 1) } },
		{ EXO_PROG_UNUSED, 3, { I(0x18, 0, 0, 1, 0), I(0, 0, 0, 0, 0), EXIT } },
		{ EXO_PROG_UNUSED, 3, { I(0x18, 0, 0, 0, 0), I(0, 1, 0, 0, 0), EXIT } },
		{ EXO_PROG_BACKWARD, 2, { I(0x05, 0, 0, -1, 0), EXIT } },
		{ EXO_PROG_BACKWARD, 2, { I(0x06, 0, 0, 0, -1), EXIT } },
		{ EXO_PROG_BACKWARD, 3, { I(0xb7, 0, 0, 0, 0), I(0x15, 0, 0, -2, 0), EXIT } },
		{ EXO_PROG_TARGET, 2, { I(0x05, 0, 0, 1, 0), EXIT } },
		{ EXO_PROG_TARGET, 2, { I(0x06, 0, 0, 0, 0x7fffffff), EXIT } },
		{ EXO_PROG_TARGET, 2, { EXIT, I(0x05, 0, 0, 0, 0) } },
		{ EXO_PROG_END, 2, { EXIT, I(0xb7, 0, 0, 0, 0) } },
		{ EXO_PROG_END, 2, { I(0x18, 0, 0, 0, 0), I(0, 0, 0, 0, 0) } },
		{ EXO_PROG_HALF, 1, { I(0x18, 0, 0, 0, 0) } },
		{ EXO_PROG_HALF, 2, { I(0x18, 0, 0, 0, 0), EXIT } },
	};

	for (unsigned n = 0; n < N(t); n++) {
		start();
		memcpy(p.insn, t[n].i, sizeof(t[n].i));
		p.count = t[n].count;
		if (host_prog_check(&p, 1))
			test_fail("refused program %u was let pass", n);
		else if (p.checked.reason != t[n].reason)
			test_fail("program %u: %s; expected: %s", n, prog_reason(p.checked.reason),
				  prog_reason(t[n].reason));
	}
	/* Into the second half of a wide load. */
	start();
	PUT(0x05, 0, 0, 1, 0);
	put_wide(0, 0);
	put((struct exo_insn)EXIT);
	CHECK(!host_prog_check(&p, 9) && p.checked.reason == EXO_PROG_TARGET);
	start();
	p.count = EXO_PROG_MAX + 1;
	CHECK(!host_prog_check(&p, 9) && p.checked.reason == EXO_PROG_LENGTH);
}

TEST_MAIN
