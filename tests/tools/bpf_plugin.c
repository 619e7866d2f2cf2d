/* SPDX-License-Identifier: MIT */
/*
 * bpf_plugin.c - runs one program by the convention of the public conformance suite of eBPF.
 *
 * usage: bpf_plugin [--interpret | --jit] [MEMORY] [--interpret | --jit] < PROGRAM
 *
 * Program and memory are bytes in hexadecimal, with or without blanks.  r1 is the memory's address,
 * r2 its length; the program may write to it.  Prints r0 in hexadecimal.  A refused program, or one
 * that cannot be read, prints nothing, says why in one line on stderr, and is an exit status of 1.
 * --jit, the default, runs compiled code.  The suite's runner puts its options behind the memory,
 * and leaves the memory out if a program has none.  ELF files, which it can send, are not read.
 */
#include <ctype.h>

#include "prog_host.h"

static uint8_t program[EXO_PROG_MAX * 8 + 8], memory[1u << 20];

static int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes of a text in hexadecimal, at most `room`; -1: it is none, or too long. */
static long hex_bytes(const char *text, uint8_t *to, long room)
{
	long n = 0;

	for (const char *s = text; ; s += 2) {
		while (isspace((unsigned char)*s))
			s++;
		if (!*s)
			return n;
		if (n == room || hex_digit(s[0]) < 0 || hex_digit(s[1]) < 0)
			return -1;
		to[n++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
	}
}

static void fail(const char *what)
{
	fprintf(stderr, "bpf_plugin: %s\n", what);
	exit(1);
}

static long program_read(void)
{
	static char text[sizeof(program) * 4 + 64];  /* the suite puts two blanks behind a byte */
	size_t got = fread(text, 1, sizeof(text) - 1, stdin);
	long bytes;

	text[got] = 0;
	bytes = got == sizeof(text) - 1 ? -1 : hex_bytes(text, program, sizeof(program));
	if (bytes < 0)
		fail("the program on standard input is not bytes in hexadecimal, or is too long");
	if (bytes % 8)
		fail("a program is a multiple of 8 bytes long");
	return bytes / 8;
}

struct wish {
	bool interpret;
	const char *memory;     /* NULL: none */
};

static void argument_read(struct wish *wish, const char *arg)
{
	if (!strcmp(arg, "--interpret") || !strcmp(arg, "--jit")) {
		wish->interpret = !strcmp(arg, "--interpret");
	} else if (!strcmp(arg, "--elf")) {
		fail("ELF files are not read: send the instructions themselves");
	} else if (*arg == '-') {
		fail("the options are --interpret and --jit");
	} else if (*arg && wish->memory) {
		fail("there is more than one memory: its blanks have to be quoted");
	} else if (*arg) {
		wish->memory = arg;
	}
}

static uint64_t program_run(const struct host_prog *p, bool interpret, uint64_t bytes)
{
	return interpret ? host_prog_interpret(p, memory, bytes, true) :
	                   host_prog_run(p, memory, bytes);
}

int main(int argc, char **argv)
{
	static struct host_prog p;
	struct wish wish = { false, NULL };
	long bytes, count;

	for (int i = 1; i < argc; i++)
		argument_read(&wish, argv[i]);
	bytes = wish.memory ? hex_bytes(wish.memory, memory, sizeof(memory)) : 0;
	if (bytes < 0)
		fail("the memory is not bytes in hexadecimal, or is longer than 1 MiB");
	count = program_read();
	host_prog_start(&p);
	p.count = (uint32_t)count;
	if (count <= EXO_PROG_MAX)
		memcpy(p.insn, program, (size_t)count * 8);
	if (!host_prog_check(&p, EXO_PROG_MAX)) {
		fprintf(stderr, "bpf_plugin: refused, instruction %u: %s\n", p.checked.next,
			prog_reason(p.checked.reason));
		return 1;
	}
	host_prog_compile(&p, EXO_PROG_MAX, true);
	printf("%llx\n", (unsigned long long)program_run(&p, wish.interpret, (uint64_t)bytes));
	return 0;
}
