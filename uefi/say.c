/* SPDX-License-Identifier: MIT */
/*
 * say.c - words on the firmware's console.
 *
 * Invariant: never used after the firmware was left.  Every line begins with "exo: ".
 */
#include "loader.h"

#include <base/format.h>

enum { CHUNK = 64 };

struct console {
	SIMPLE_TEXT_OUTPUT_INTERFACE *out;
	CHAR16 text[CHUNK + 3];
	unsigned used;
};

static void console_flush(struct console *c)
{
	c->text[c->used] = 0;
	if (c->used)
		c->out->OutputString(c->out, c->text);
	c->used = 0;
}

static void console_put(void *context, const char *text, size_t bytes)
{
	struct console *c = context;

	for (; bytes--; text++) {
		if (*text == '\n')
			c->text[c->used++] = '\r';
		c->text[c->used++] = (unsigned char)*text;
		if (c->used >= CHUNK)
			console_flush(c);
	}
}

void say(struct loader *l, const char *format, ...)
{
	struct console c = { .out = l->st->ConOut };
	va_list args;

	if (!c.out)
		return;
	console_put(&c, "exo: ", 5);
	va_start(args, format);
	format_to(console_put, &c, format, args);
	va_end(args);
	console_put(&c, "\n", 1);
	console_flush(&c);
}
