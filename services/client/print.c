/* SPDX-License-Identifier: MIT */
/*
 * print.c - text from outside, so that it cannot harm the terminal.
 */
#include <exos/console.h>
#include <services/client.h>

static bool harmless(uint8_t c, bool lines)
{
	return (c >= ' ' && c != 0x7f) || (lines && (c == '\n' || c == '\t'));
}

void client_print(const void *bytes, size_t count, bool lines)
{
	const char *text = bytes;
	size_t from = 0;

	for (size_t i = 0; i < count; i++) {
		if (harmless((uint8_t)text[i], lines))
			continue;
		exos_console_write(text + from, i - from);
		from = i + 1;
		/* A line end of half the Internet; one cut in two between its bytes as well. */
		if (lines && text[i] == '\r' && (from == count || text[from] == '\n'))
			continue;
		printf("\\x%02x", (uint8_t)text[i]);
	}
	exos_console_write(text + from, count - from);
}
