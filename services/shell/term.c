/* SPDX-License-Identifier: MIT */
/*
 * term.c - input in order, and text that cannot harm the terminal.
 *
 * Invariant: every byte but Ctrl-C and Ctrl-\ that arrives while a command runs is there for the
 * next prompt, unless more than TYPED_MAX of them arrive: then the rest stays with the console.
 */
#include <base/string.h>
#include <exos/console.h>

#include "shell.h"

#define TYPED_MAX 8192u
#define CTRL_C    0x03
#define CTRL_BACKSLASH 0x1c

static uint8_t typed[TYPED_MAX];        /* [taken, count) is still to be given out */
static size_t taken, count;
static bool interrupted;

/* Fetch more, waiting until the deadline as exos_console_read does. */
static int64_t term_fetch(uint64_t deadline)
{
	int64_t n;

	if (taken == count)
		taken = count = 0;
	if (count == TYPED_MAX)
		return 0;
	n = exos_console_read(typed + count, TYPED_MAX - count, deadline);
	if (n > 0)
		count += (size_t)n;
	return n;
}

int term_byte(void)
{
	while (taken == count)
		if (term_fetch(0) < 0)
			return -1;
	return typed[taken++];
}

void term_begin(void)
{
	interrupted = false;
}

/* Ctrl-C also forgets what was typed before it. */
bool term_interrupted(void)
{
	int64_t n = term_fetch(1);

	/* What was fetched is the end of what there is, wherever it begins. */
	for (size_t i = n > 0 ? count - (size_t)n : count; i < count; i++) {
		if (typed[i] == CTRL_C || typed[i] == CTRL_BACKSLASH) {
			interrupted = true;
			taken = i + 1;
		}
	}
	return interrupted;
}

void term_write(void *context, const char *text, size_t bytes)
{
	(void)context;
	exos_console_write(text, bytes);
}

void term_safe(const char *text, size_t bytes)
{
	size_t from = 0;

	for (size_t i = 0; i < bytes; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c >= ' ' && c != 0x7f)
			continue;
		exos_console_write(text + from, i - from);
		printf("\\x%02x", c);
		from = i + 1;
	}
	exos_console_write(text + from, bytes - from);
}
