/* SPDX-License-Identifier: MIT */
/*
 * cmdline.c - the boot line.
 *
 * Invariant: a line handed on is printable ASCII, ends with NUL inside EXO_CMDLINE_MAX bytes, and
 * has no space at either end.  What its words mean is not known here.
 */
#include "cmdline.h"

#include <base/string.h>

static bool is_printable(unsigned c)
{
	return c >= ' ' && c < 0x7f;
}

static enum cmdline_found too_long(uint64_t characters, struct why *why)
{
	(void)refuse(why, "boot line: %lu characters, the limit is %u; shorten it", characters,
		     EXO_CMDLINE_MAX - 1);
	return CMDLINE_LONG;
}

/* The unaligned UCS-2 character i of a text. */
static unsigned char16_at(const unsigned char *text, uint64_t i)
{
	return text[2 * i] | (unsigned)text[2 * i + 1] << 8;
}

/* Take spaces off both ends; CMDLINE_NONE if nothing is left. */
static enum cmdline_found line_trim(char *line)
{
	size_t lo = 0, n = strlen(line);

	while (n && line[n - 1] == ' ')
		n--;
	while (lo < n && line[lo] == ' ')
		lo++;
	memmove(line, line + lo, n - lo);
	line[n - lo] = 0;
	return n - lo ? CMDLINE_TEXT : CMDLINE_NONE;
}

static void drop_program(char *line)
{
	char *end = strchr(line, ' ');
	size_t word = end ? (size_t)(end - line) : strlen(line);
	const char *dot = line + word - 4;

	if (word >= 4 && dot[0] == '.' && (dot[1] | 32) == 'e' && (dot[2] | 32) == 'f' &&
	    (dot[3] | 32) == 'i')
		memmove(line, line + word, strlen(line + word) + 1);
}

enum cmdline_found cmdline_options(char *line, const void *options, uint64_t bytes,
				   struct why *why)
{
	uint64_t n = bytes / 2;

	if (bytes % 2)
		return CMDLINE_BINARY;
	while (n && char16_at(options, n - 1) == 0)
		n--;
	for (uint64_t i = 0; i < n; i++)
		if (!is_printable(char16_at(options, i)))
			return CMDLINE_BINARY;
	if (n >= EXO_CMDLINE_MAX)
		return too_long(n, why);
	for (uint64_t i = 0; i < n; i++)
		line[i] = (char)char16_at(options, i);
	line[n] = 0;
	if (line_trim(line) == CMDLINE_NONE)
		return CMDLINE_NONE;
	drop_program(line);
	return line_trim(line);
}

/* Bytes of the line at text, without its end. */
static uint64_t line_bytes(const char *text, uint64_t bytes)
{
	uint64_t n = 0;

	while (n < bytes && text[n] != '\n' && text[n] != '\r')
		n++;
	return n;
}

enum cmdline_found cmdline_file(char *line, const char *text, uint64_t bytes, struct why *why)
{
	while (bytes) {
		uint64_t n = line_bytes(text, bytes);

		if (n && text[0] != '#') {
			for (uint64_t i = 0; i < n; i++)
				if (!is_printable((unsigned char)text[i]))
					return CMDLINE_BINARY;
			if (n >= EXO_CMDLINE_MAX)
				return too_long(n, why);
			memcpy(line, text, n);
			line[n] = 0;
			if (line_trim(line) == CMDLINE_TEXT)
				return CMDLINE_TEXT;
		}
		n += n < bytes;
		text += n;
		bytes -= n;
	}
	line[0] = 0;
	return CMDLINE_NONE;
}
