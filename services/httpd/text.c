/* SPDX-License-Identifier: MIT */
/*
 * text.c - text that grows.
 *
 * Invariant: bytes <= room; room bytes at `at` are ours.  After a failure nothing is added.
 */
#include "text.h"

#include <base/format.h>
#include <base/string.h>
#include <exos/heap.h>
#include <services/http.h>

#define TEXT_LEAST 512u

static bool text_grow(struct text *t, size_t count)
{
	size_t limit = t->limit ? t->limit : SIZE_MAX / 4, room = t->room ? t->room : TEXT_LEAST;
	char *more;

	if (count > limit - t->bytes)
		return false;
	while (room - t->bytes < count)
		room *= 2;
	more = realloc(t->at, room);
	if (more == NULL)
		return false;
	t->at = more;
	t->room = room;
	return true;
}

void text_add(struct text *t, const void *bytes, size_t count)
{
	if (t->failed || count == 0)
		return;
	if ((t->limit && count > t->limit - t->bytes) ||
	    (t->room - t->bytes < count && !text_grow(t, count))) {
		t->failed = true;
		return;
	}
	memcpy(t->at + t->bytes, bytes, count);
	t->bytes += count;
}

void text_string(struct text *t, const char *string)
{
	text_add(t, string, strlen(string));
}

static void text_sink(void *context, const char *bytes, size_t count)
{
	text_add(context, bytes, count);
}

void text_format(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_to(text_sink, t, format, args);
	va_end(args);
}

/* The length of the UTF-8 sequence at the start (RFC 3629 section 4), or 0 if there is none. */
static size_t utf8_bytes(const unsigned char *s, size_t bytes)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		   s[0] < 0xf5 ? 4 : 0;

	if (n > bytes)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static const char *html_special(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void text_html(struct text *t, const char *name, size_t bytes)
{
	for (size_t i = 0, n; i < bytes; i += n ? n : 1) {
		const char *special = html_special(name[i]);
		unsigned char c = (unsigned char)name[i];

		n = utf8_bytes((const unsigned char *)name + i, bytes - i);
		if (special != NULL)
			text_string(t, special);
		else if (n == 0 || c < 0x20 || c == 0x7f)
			text_string(t, "\xef\xbf\xbd");
		else
			text_add(t, name + i, n);
	}
}

static bool url_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

void text_url(struct text *t, const char *name, size_t bytes)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)name[i];
		char code[3] = { '%', digits[c >> 4], digits[c & 15] };

		if (url_plain(name[i]))
			text_add(t, name + i, 1);
		else
			text_add(t, code, sizeof(code));
	}
}

/* From the form of HTTP, which has all of it: "Sun, 06 Nov 1994 08:49:37 GMT". */
void text_date(struct text *t, int64_t seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char date[HTTP_DATE_BYTES];
	unsigned month = 1;

	http_date_write(seconds, date);
	while (month < 12 && memcmp(months + (month - 1) * 3, date + 8, 3) != 0)
		month++;
	text_format(t, "%.4s-%02u-%.2s %.5s", date + 12, month, date + 5, date + 17);
}

void text_fit(struct text *t)
{
	char *less = t->bytes > 0 ? realloc(t->at, t->bytes) : NULL;

	if (less == NULL)
		return;
	t->at = less;
	t->room = t->bytes;
}

void text_clear(struct text *t, size_t keep)
{
	t->bytes = 0;
	t->failed = false;
	if (t->room <= keep)
		return;
	free(t->at);
	t->at = NULL;
	t->room = 0;
}
