/* SPDX-License-Identifier: MIT */
/*
 * prog_plugin_test.c - bpf_plugin is called as eBPF's conformance suite calls a plugin.
 *
 * The runner of the suite writes bytes with two blanks behind each, puts its options behind the
 * memory, and compares what is printed with the result, or stderr with the error it expects.  The
 * plugin is built here with sanitizers; what instructions do is prog_vectors_test.c's.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define BUILD                                                                                     \
	"${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -fsanitize=address,undefined -Iexo "              \
	"-Iexo/include -Iexo/base/include -Itests/host -o \"$TMPDIR/bpf_plugin\" "                \
	"tests/tools/bpf_plugin.c exo/prog/check.c exo/prog/interpret.c exo/x86/prog_compile.c"

/* Programs, in the suite's way of writing. */
#define LENGTH "bf  20  00  00  00  00  00  00  95  00  00  00  00  00  00  00  \n"
#define BYTE_2 "71 10 02 00 00 00 00 00  95 00 00 00 00 00 00 00"
#define STORE  "7201000034000000 7110000000000000 9500000000000000"
#define EXIT   "9500000000000000"
#define COMMAND_MAX 8192

/* Run the plugin; false if it or the shell could not be started. */
static bool plugin_run(const char *arguments, const char *program, char *out, size_t room)
{
	static char command[COMMAND_MAX];
	FILE *f;
	size_t n;

	snprintf(command, sizeof(command),
		 "printf '%%s' '%s' | \"$TMPDIR/bpf_plugin\" %s 2>\"$TMPDIR/words\"; "
		 "echo \"$?\"; cat \"$TMPDIR/words\"", program, arguments);
	f = popen(command, "r");
	n = f ? fread(out, 1, room - 1, f) : 0;
	out[n] = 0;
	return f && !pclose(f);
}

static void plugin_expect(const char *arguments, const char *program, const char *want)
{
	char out[1024];

	if (!plugin_run(arguments, program, out, sizeof(out)))
		test_fail("%s: the plugin was not run", arguments);
	else if (strcmp(out, want))
		test_fail("%s %s: printed %s; expected %s", program, arguments, out, want);
}

TEST(prog_plugin_is_built)
{
	REQUIRE(!system(BUILD));
}

TEST(prog_plugin_takes_memory_and_options)
{
	plugin_expect("", LENGTH, "0\n0\n");
	plugin_expect("''", LENGTH, "0\n0\n");
	plugin_expect("'00  00  00  01  00  '", LENGTH, "5\n0\n");
	plugin_expect("--interpret", LENGTH, "0\n0\n");
	plugin_expect("--jit aabb11ccdd", BYTE_2, "11\n0\n");
	plugin_expect("aabb11CCDD --interpret", BYTE_2, "11\n0\n");
	plugin_expect("'aa bb f1 cc dd' --jit", BYTE_2, "f1\n0\n");
	plugin_expect("ff --interpret ''", STORE, "34\n0\n");
	plugin_expect("ff --jit", STORE, "34\n0\n");
	/* Beyond the memory: the program ends with 0, which is no error. */
	plugin_expect("aabb --interpret", BYTE_2, "0\n0\n");
	plugin_expect("aabb", BYTE_2, "0\n0\n");
}

TEST(prog_plugin_prints_all_of_r0)
{
	plugin_expect("", "b7000000ffffffff 9500000000000000", "ffffffffffffffff\n0\n");
	plugin_expect("--interpret", "1800000088776655 0000000044332211 9500000000000000",
		      "1122334455667788\n0\n");
}

/* Each way to be wrong: no result, status 1, and one line of words. */
TEST(prog_plugin_refuses_in_words)
{
	static const struct { const char *arguments, *program, *words; } t[] = {
		{ "", "c31a000001000000" EXIT,
		  "refused, instruction 0: atomic instructions are not supported" },
		{ "--interpret", "db1a000001000000" EXIT,
		  "refused, instruction 0: atomic instructions are not supported" },
		{ "--jit", EXIT "8500000005000000" EXIT,
		  "refused, instruction 1: calls are not supported" },
		{ "", "8510000001000000" EXIT EXIT,
		  "refused, instruction 0: calls are not supported" },
		{ "", "8d02000000000000" EXIT, "refused, instruction 0: calls are not supported" },
		{ "", "1811000000000000 0000000000000000" EXIT,
		  "refused, instruction 0: a 64-bit immediate must be a plain number" },
		{ "", "b700000000000000 0500feff00000000" EXIT,
		  "refused, instruction 1: a jump goes backwards" },
		{ "", "2000000000000000" EXIT,
		  "refused, instruction 0: the old packet-access instructions are not supported" },
		{ "", "", "refused, instruction 0: a program has 1 to 4096 instructions" },
		{ "", "950000", "a program is a multiple of 8 bytes long" },
		{ "", "9", "the program on standard input is not bytes in hexadecimal, "
		  "or is too long" },
		{ "", "95000000 0000000g", "the program on standard input is not bytes in "
		  "hexadecimal, or is too long" },
		{ "abc", EXIT, "the memory is not bytes in hexadecimal, or is longer than 1 MiB" },
		{ "ab cd", EXIT, "there is more than one memory: its blanks have to be quoted" },
		{ "ab --debug", EXIT, "the options are --interpret and --jit" },
		{ "ab --elf", EXIT, "ELF files are not read: send the instructions themselves" },
	};
	char want[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(want, sizeof(want), "1\nbpf_plugin: %s\n", t[i].words);
		plugin_expect(t[i].arguments, t[i].program, want);
	}
}

/* The longest program as the suite writes it, and one instruction more. */
TEST(prog_plugin_reads_the_longest_program)
{
	static const char make[] =
		"python3 -c \"print('07  00  00  00  01  00  00  00  ' * %d + '95' + '  00' * 7)\" "
		"| \"$TMPDIR/bpf_plugin\" %s 2>&1";
	static const struct { int count; const char *options, *want; } t[] = {
		{ 4095, "--interpret", "fff\n" }, { 4095, "--jit", "fff\n" },
		{ 4096, "", "bpf_plugin: refused, instruction 0: a program has 1 to 4096 "
		  "instructions\n" },
	};
	char command[256], out[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		FILE *f;
		size_t n;

		snprintf(command, sizeof(command), make, t[i].count, t[i].options);
		f = popen(command, "r");
		REQUIRE(f);
		n = fread(out, 1, sizeof(out) - 1, f);
		out[n] = 0;
		pclose(f);
		if (strcmp(out, t[i].want))
			test_fail("%d instructions more: %s", t[i].count, out);
	}
}

TEST_MAIN
