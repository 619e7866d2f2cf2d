/* SPDX-License-Identifier: MIT */
/*
 * shell_term_test.c - Ctrl-C and typing ahead, for every way in which input comes in pieces.
 */
// sources: services/shell/term.c
// includes: services/shell libexos/include exo/base/include exo/include
#include "shell.h"

#include <exos/console.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char waiting[64];        /* what the console holds for the shell */
static size_t waiting_bytes;
static int failures;

int64_t exos_console_read(void *buffer, size_t bytes, uint64_t deadline_tsc)
{
	size_t n = waiting_bytes < bytes ? waiting_bytes : bytes;

	if (n == 0 && deadline_tsc == 0)
		return -1;
	memcpy(buffer, waiting, n);
	memmove(waiting, waiting + n, waiting_bytes - n);
	waiting_bytes -= n;
	return (int64_t)n;
}

void exos_console_write(const void *text, size_t bytes)
{
	(void)text;
	(void)bytes;
}

static void type(const char *text, size_t bytes)
{
	memcpy(waiting + waiting_bytes, text, bytes);
	waiting_bytes += bytes;
}

static void check(const char *name, int passed)
{
	printf(passed ? "ok shell_term_%s\n" : "FAIL shell_term_%s: see the code at this name\n",
	       name);
	failures += !passed;
}

/*
 * A line of `before` bytes comes at once and is read; then `ahead` bytes, Ctrl-C and `after`.  The
 * command looks, or does not, before anything is typed and before Ctrl-C.
 */
static int cut_once(size_t before, size_t ahead, size_t after, unsigned looks, char key)
{
	static const char letters[] = "abcdefghijklmnop";
	int good = 1;

	type(letters, before);
	for (size_t i = 0; i < before; i++)
		good &= term_byte() == letters[i];
	term_begin();
	if (looks & 1)
		good &= !term_interrupted();
	type(letters, ahead);
	if (looks & 2)
		good &= !term_interrupted();
	type(&key, 1);
	type(letters, after);
	good &= term_interrupted() && term_interrupted();
	for (size_t i = 0; i < after; i++)
		good &= term_byte() == letters[i];
	return good && term_byte() == -1;
}

static int cut_all(char key)
{
	int good = 1;

	for (size_t before = 0; before < 16; before++)
		for (size_t ahead = 0; ahead < 16; ahead++)
			for (size_t after = 0; after < 16; after++)
				for (unsigned looks = 0; looks < 4; looks++)
					good &= cut_once(before, ahead, after, looks, key);
	return good;
}

/* What is typed while a command runs is there afterwards, however often the command looks. */
static int typed_ahead(void)
{
	int good = 1;

	term_begin();
	for (int i = 0; i < 10; i++) {
		type("xy", 2);
		good &= !term_interrupted();
	}
	for (int i = 0; i < 10; i++)
		good &= term_byte() == 'x' && term_byte() == 'y';
	return good && term_byte() == -1;
}

int main(void)
{
	check("ctrl_c", cut_all(0x03));
	check("ctrl_backslash", cut_all(0x1c));
	check("typed_ahead", typed_ahead());
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
