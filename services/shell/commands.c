/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the table of commands, and the smallest ones.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/start.h>

#include "shell.h"

static command_run do_help, do_echo, do_clear, do_version, do_exit;

static const struct command commands[] = {
	{ "help",    "[COMMAND]",            "this list, or one command",            do_help },
	{ "ls",      "[-l] [PATH]...",       "names in a directory",                 files_ls },
	{ "cat",     "FILE...",              "show files",                           files_cat },
	{ "hexdump", "[-s START] [-n COUNT] FILE", "show a file's bytes",            hexdump_run },
	{ "hash",    "[-r] PATH...",         "XXH64 of files, as xxhsum -H64 does",  hash_run },
	{ "run",     "[-m MIB] [-n] [-g CLAIM] PROGRAM [ARGUMENT]... [&]",
	             "start a program: a path, or a name of the boot archive",       run_run },
	{ "kill",    "JOB",                  "end a program that run started",       jobs_kill },
	{ "ps",      "[-l]",                 "environments; -l: all their counters", ps_run },
	{ "mem",     "",                     "frames, by holder and by use",         mem_run },
	{ "caps",    "[ENVIRONMENT]",        "an environment's claims, as a tree",   caps_run },
	{ "slices",  "",                     "who runs when, on each CPU",           slices_run },
	{ "irq",     "",                     "interrupts and who receives them",     irq_run },
	{ "dev",     "",                     "devices, ports, disks",                dev_run },
	{ "net",     "",                     "NICs, addresses, who gets which packets", net_run },
	{ "ping",    "[-c COUNT] [-s BYTES] HOST", "echo requests and their round trips", run_net },
	{ "fetch",   "[-q] URL",             "show what an http URL names",          run_net },
	{ "capture", "[-q] [-c COUNT] [-s BYTES] [-m MIB] [WORD]...",
	             "show packets and keep them for http port 81",                  run_net },
	{ "echo",    "[WORD]...",            "print words",                          do_echo },
	{ "clear",   "",                     "clear the screen",                     do_clear },
	{ "version", "",                     "what runs here",                       do_version },
	{ "exit",    "[CODE]",               "end the shell and switch off",         do_exit },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* An unknown word may be anything: show little of it, and nothing that moves the cursor. */
static int command_unknown(const char *name)
{
	size_t bytes = strlen(name);

	printf("there is no command \"");
	term_safe(name, min_u64(bytes, 40));
	printf("%s\"; help lists them\n", bytes > 40 ? "..." : "");
	return 1;
}

int commands_do(int argc, char **argv)
{
	const struct command *c = command_find(argv[0]);

	return c != NULL ? c->run(argc, argv) : command_unknown(argv[0]);
}

bool commands_starts(const char *name)
{
	const struct command *c = command_find(name);

	return c != NULL && (c->run == run_run || c->run == run_net);
}

int commands_usage(const char *name)
{
	const struct command *c = command_find(name);

	printf("usage: %s %s\n", c->name, c->usage);
	return 1;
}

static int do_help(int argc, char **argv)
{
	const struct command *c;

	if (argc > 2)
		return commands_usage(argv[0]);
	if (argc == 2) {
		if ((c = command_find(argv[1])) == NULL)
			return command_unknown(argv[1]);
		printf("%s %s\n    %s\n", c->name, c->usage, c->what);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("%-8s %s\n", commands[i].name, commands[i].what);
	printf("Words are split at spaces; '...', \"...\" and \\ keep them together.  Ctrl-C ends "
	       "a command,\nCtrl-\\ also a program that reads the keyboard itself.\n");
	return 0;
}

static int do_echo(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		term_safe(argv[i], strlen(argv[i]));
		putchar(i + 1 < argc ? ' ' : '\n');
	}
	if (argc == 1)
		putchar('\n');
	return 0;
}

static int do_clear(int argc, char **argv)
{
	if (argc > 1)
		return commands_usage(argv[0]);
	printf("\033[H\033[2J");
	return 0;
}

static int do_version(int argc, char **argv)
{
	const struct exo_machine *m = exos_machine();

	if (argc > 1)
		return commands_usage(argv[0]);
	printf("exo %.*s, ABI %u.%u\n", (int)sizeof(m->version), m->version, m->abi_major,
	       m->abi_minor);
	return 0;
}

static int do_exit(int argc, char **argv)
{
	const char *end;
	uint64_t code = 0;

	if (argc > 2)
		return commands_usage(argv[0]);
	if (argc == 2 && (parse_u64(argv[1], &end, &code) < 0 || *end != '\0' || code > 255)) {
		printf("exit: \"");
		term_safe(argv[1], min_u64(strlen(argv[1]), 40));
		printf("\" is not a number from 0 to 255\n");
		return 1;
	}
	shell_leave((int)code);
	return 0;
}
