/* SPDX-License-Identifier: MIT */
/*
 * console_line.c - a line of input with echo and backspace, for programs without an editor.
 *
 * CR, LF and CR LF each end one line.
 */
#include <exo/errors.h>
#include <exos/console.h>
#include <stdbool.h>

static bool after_cr;           /* an LF that follows belongs to the line before */

/* The next byte that counts, or -EXO_E_*. */
static int64_t line_byte(void)
{
	for (;;) {
		char c;
		int64_t got = exos_console_read(&c, 1, 0);

		if (got < 0)
			return got;
		if (got == 0)
			continue;
		if (c == '\n' && after_cr) {
			after_cr = false;
			continue;
		}
		after_cr = c == '\r';
		return (unsigned char)c;
	}
}

static void echo(char c)
{
	exos_console_write(&c, 1);
}

int64_t exos_console_line(char *buffer, size_t bytes)
{
	size_t used = 0;
	bool over = bytes == 0;

	for (;;) {
		int64_t c = line_byte();

		if (c < 0)
			return c;
		if (c == '\r' || c == '\n')
			break;
		if (c == '\b' || c == 0x7f) {
			if (used) {
				used--;
				exos_console_write("\b \b", 3);
			}
			continue;
		}
		if (used + 1 >= bytes) {
			over = true;
			continue;
		}
		buffer[used++] = (char)c;
		echo((char)c);
	}
	echo('\n');
	if (bytes)
		buffer[used] = 0;
	return over ? -EXO_E_RANGE : (int64_t)used;
}
