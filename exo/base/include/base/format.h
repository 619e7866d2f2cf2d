/* SPDX-License-Identifier: MIT */
/*
 * format.h - formatted text without a libc.
 *
 * Conversions: %d %i %u %x %X %o %p %c %s %% with flags - 0 + space #, width and precision (also
 * *), and lengths hh h l ll z.  No floating point, no %n.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Receives the text piece by piece. */
typedef void format_sink(void *context, const char *text, size_t bytes);

/* Format to a sink; the number of bytes given to it. */
size_t format_to(format_sink *sink, void *context, const char *format, va_list args);

/* Format into a buffer as C11's snprintf does: ended with NUL if bytes > 0; the full length. */
int format_buffer(char *buffer, size_t bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int format_buffer_v(char *buffer, size_t bytes, const char *format, va_list args);

/*
 * Read an unsigned number, decimal or with 0x hexadecimal.  0 with *value and, unless end is NULL,
 * *end behind its last digit; -1 if there is none or it does not fit.
 */
int parse_u64(const char *text, const char **end, uint64_t *value);

#endif
