/* SPDX-License-Identifier: MIT */
/*
 * prog_tools_test.c - the assembler's every instruction, and the two ways to write the example.
 *
 * The example is assembled, and compiled by clang if there is one that can; both decide alike.
 */
// sources: exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c
// includes: exo
// flags: -D_GNU_SOURCE
#include "prog_host.h"
#include "test.h"

static struct host_prog p;

/* The output of a command, read as instructions: how many, or -1. */
static long program_from(const char *command, struct exo_insn *insn)
{
	FILE *f = popen(command, "r");
	size_t n = f ? fread(insn, 8, EXO_PROG_MAX, f) : 0;

	return f && !pclose(f) ? (long)n : -1;
}

/* --- the assembler --- */

static const struct line {
	const char *text;
	uint8_t opcode, regs;
	int16_t offset;
	int32_t imm;
} lines[] = {
	{ "add r1, r2", 0x0f, 0x21, 0, 0 }, { "add %r1, -5", 0x07, 0x01, 0, -5 },
	{ "add32 r1, r2", 0x0c, 0x21, 0, 0 }, { "add32 r9, 0x10", 0x04, 0x09, 0, 16 },
	{ "sub r1, 1", 0x17, 1, 0, 1 }, { "mul32 r1, r0", 0x2c, 1, 0, 0 },
	{ "div r1, 3", 0x37, 1, 0, 3 }, { "sdiv r1, 3", 0x37, 1, 1, 3 },
	{ "sdiv32 r1, r3", 0x3c, 0x31, 1, 0 }, { "or r1, 3", 0x47, 1, 0, 3 },
	{ "and r1, 0xffffffff", 0x57, 1, 0, -1 }, { "lsh r1, 3", 0x67, 1, 0, 3 },
	{ "rsh32 r1, 3", 0x74, 1, 0, 3 }, { "neg r4", 0x87, 4, 0, 0 },
	{ "neg32 r4", 0x84, 4, 0, 0 },
	{ "mod r1, r3", 0x9f, 0x31, 0, 0 }, { "smod32 r1, 7", 0x94, 1, 1, 7 },
	{ "xor r1, 7", 0xa7, 1, 0, 7 }, { "mov r1, r10", 0xbf, 0xa1, 0, 0 },
	{ "mov32 r1, 7", 0xb4, 1, 0, 7 }, { "arsh r1, 7", 0xc7, 1, 0, 7 },
	{ "movsx864 r1, r2", 0xbf, 0x21, 8, 0 }, { "movsx3264 r1, r2", 0xbf, 0x21, 32, 0 },
	{ "movsx1632 r1, r2", 0xbc, 0x21, 16, 0 }, { "le16 r3", 0xd4, 3, 0, 16 },
	{ "be64 r3", 0xdc, 3, 0, 64 }, { "bswap32 r3", 0xd7, 3, 0, 32 },
	{ "swap64 r3", 0xd7, 3, 0, 64 },
	{ "ldxb r3, [r4]", 0x71, 0x43, 0, 0 }, { "ldxh r3, [r4+0x10]", 0x69, 0x43, 16, 0 },
	{ "ldxw r3, [r10-8]", 0x61, 0xa3, -8, 0 }, { "ldxdw r3, [r4 + 8]", 0x79, 0x43, 8, 0 },
	{ "ldxsb r3, [r4]", 0x91, 0x43, 0, 0 }, { "ldxsh r3, [r4]", 0x89, 0x43, 0, 0 },
	{ "ldxsw r3, [r4]", 0x81, 0x43, 0, 0 }, { "stb [r10-1], 5", 0x72, 10, -1, 5 },
	{ "sth [r10-2], 5", 0x6a, 10, -2, 5 }, { "stw [r10-4], 5", 0x62, 10, -4, 5 },
	{ "stdw [r10-8], 5", 0x7a, 10, -8, 5 }, { "stxb [r10-1], r5", 0x73, 0x5a, -1, 0 },
	{ "stxh [r10-2], r5", 0x6b, 0x5a, -2, 0 }, { "stxw [r10-4], r5", 0x63, 0x5a, -4, 0 },
	{ "stxdw [r10-8], r5", 0x7b, 0x5a, -8, 0 }, { "ja +3", 0x05, 0, 3, 0 },
	{ "ja32 +3", 0x06, 0, 0, 3 }, { "jeq r1, 5, +2", 0x15, 1, 2, 5 },
	{ "jgt r1, r2, +2", 0x2d, 0x21, 2, 0 }, { "jge32 r1, 5, +2", 0x36, 1, 2, 5 },
	{ "jset r1, 5, +2", 0x45, 1, 2, 5 }, { "jne r1, 5, +2", 0x55, 1, 2, 5 },
	{ "jsgt r1, 5, +2", 0x65, 1, 2, 5 }, { "jsge r1, 5, +2", 0x75, 1, 2, 5 },
	{ "jlt r1, 5, +2", 0xa5, 1, 2, 5 }, { "jle r1, 5, +2", 0xb5, 1, 2, 5 },
	{ "jslt r1, 5, +2", 0xc5, 1, 2, 5 }, { "jsle32 r1, r2, +2", 0xde, 0x21, 2, 0 },
	{ "here: exit", 0x95, 0, 0, 0 },
	/* Labels: forward, the implied one, and backward for the kernel to refuse. */
	{ "jeq r1, 1, there", 0x15, 1, 2, 1 }, { "jeq r1, 1, exit", 0x15, 1, 3, 1 },
	{ "ja here", 0x05, 0, -4, 0 }, { "there: mov r0, 1 # words", 0xb7, 0, 0, 1 },
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

TEST(prog_assembler_knows_every_instruction)
{
	char command[8192] = "python3 tools/bpfasm.py <<'EOF'\n";
	long n;

	for (unsigned i = 0; i < LINES; i++)
		strcat(strcat(command, lines[i].text), "\n");
	strcat(command, "lddw r6, 0x1122334455667788\nexit\nEOF\n");
	n = program_from(command, p.insn);
	CHECK_EQ(n, LINES + 3);
	for (unsigned i = 0; i < LINES && n > 0; i++) {
		const struct exo_insn *got = &p.insn[i];

		/* `exit` is the last instruction, two further than LINES. */
		bool last = !strcmp(lines[i].text, "jeq r1, 1, exit");
		int16_t offset = last ? (int16_t)(LINES + 2 - i - 1) : lines[i].offset;

		if (got->opcode != lines[i].opcode || got->regs != lines[i].regs ||
		    got->offset != offset || got->imm != lines[i].imm)
			test_fail("%s: %02x %02x %d %d", lines[i].text, got->opcode, got->regs,
				  got->offset, got->imm);
	}
	CHECK(p.insn[LINES].opcode == 0x18 && p.insn[LINES].imm == 0x55667788 &&
	      p.insn[LINES + 1].imm == 0x11223344);
}

TEST(prog_assembler_refuses_what_is_wrong)
{
	static const char *const wrong[] = {
		"add r11, 1", "add 1, r1", "mov r1", "frobnicate r1", "jeq r1, 1, nowhere",
		"ldxb r1, [r2+40000]", "mov r1, 0x100000000", "ldxsdw r1, [r2]", "be8 r1",
		"exit r1", "call 1", "lddw r1, 0x10000000000000000",
	};
	char command[256];

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(command, sizeof(command),
			 "echo '%s' | python3 tools/bpfasm.py 2>/dev/null", wrong[i]);
		if (program_from(command, p.insn) >= 0)
			test_fail("%s: not refused", wrong[i]);
	}
}

/* --- the example --- */

static uint64_t decide(uint8_t protocol, uint8_t port, uint64_t bytes, uint8_t version)
{
	uint8_t packet[64] = { [12] = 8, [14] = version, [23] = protocol, [35] = port };

	return host_prog_run(&p, packet, bytes);
}

static void example_check(long count)
{
	REQUIRE(count > 0);
	p.count = (uint32_t)count;
	if (!p.code)
		host_prog_start(&p);
	REQUIRE(host_prog_check(&p, EXO_PROG_MAX));
	host_prog_compile(&p, EXO_PROG_MAX, false);
	CHECK_EQ(decide(17, 53, 64, 0x45), 2);
	CHECK_EQ(decide(17, 54, 64, 0x45), 1);
	CHECK_EQ(decide(6, 53, 64, 0x45), 0);
	CHECK_EQ(decide(17, 53, 64, 0x46), 0);
	CHECK_EQ(decide(17, 53, 42, 0x45), 2);
	CHECK_EQ(decide(17, 53, 41, 0x45), 0);
}

TEST(prog_example_assembled)
{
	example_check(program_from("python3 tools/bpfasm.py docs/programs/dns.s", p.insn));
}

TEST(prog_example_compiled_by_clang)
{
	if (system("echo 'int f(void);' | clang -target bpf -x c -c - -o /dev/null 2>/dev/null"))
		TEST_SKIP("there is no clang that compiles for bpf");
	example_check(program_from("clang -O2 -target bpf -mcpu=v3 -c docs/programs/dns.c "
	                           "-o \"$TMPDIR/dns.o\" && objcopy -I elf64-little -O binary "
	                           "-j .text \"$TMPDIR/dns.o\" \"$TMPDIR/dns.bin\" && "
	                           "cat \"$TMPDIR/dns.bin\"", p.insn));
}

TEST_MAIN
