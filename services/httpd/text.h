/* SPDX-License-Identifier: MIT */
/*
 * text.h - text that grows, up to a limit; a failure is remembered, so that it is asked once.
 */
#ifndef HTTPD_TEXT_H
#define HTTPD_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char  *at;              /* not ended with NUL; NULL while nothing was written */
	size_t bytes, room;
	size_t limit;           /* most bytes; 0 counts as no limit */
	bool   failed;          /* something did not fit, or memory was out */
};

void text_add(struct text *text, const void *bytes, size_t count);
void text_string(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A name as HTML: the five special characters escaped; control bytes, and bytes that are no UTF-8,
 * shown as U+FFFD.
 */
void text_html(struct text *text, const char *name, size_t bytes);

/* A name as a piece of a URL (RFC 3986 2.3): all but unreserved characters as %XX; '/' stays. */
void text_url(struct text *text, const char *name, size_t bytes);

/* Seconds since 1970 as "YYYY-MM-DD HH:MM". */
void text_date(struct text *text, int64_t seconds);

/* Give back memory beyond its bytes. */
void text_fit(struct text *text);

/* Empty it; memory beyond `keep` bytes is given back. */
void text_clear(struct text *text, size_t keep);

#endif
