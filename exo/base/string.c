/* SPDX-License-Identifier: MIT */
/*
 * string.c - memory and string functions with their standard names.
 *
 * Invariant: no function reads or writes a byte outside the ranges its contract names.  Filling and
 * copying go by 8-byte words: the processor's string instructions do what is long, a loop what is
 * short, since they take a while to begin.  Compiled without loop recognition: the loops must not
 * become calls of themselves.
 */
#include <base/string.h>

#include <stdint.h>

#include "x86/insn.h"

/* A word at any address, of any effective type. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

enum { WORD = sizeof(word), LONG = 8 * WORD };

/*
 * Copy upwards: right for separate ranges and for dst below src.  What is left behind the last
 * whole word goes as the last 8 bytes, read before anything is written.
 */
static inline __attribute__((always_inline)) void copy_up(char *d, const char *s, size_t n)
{
	char *tail;
	word last;

	if (n < WORD) {
		while (n--)
			*d++ = *s++;
		return;
	}
	tail = d + n - WORD;
	last = *(const word *)(s + n - WORD);
	if (n >= LONG)
		insn_copy(&d, &s, n / WORD);
	for (; d < tail; d += WORD, s += WORD)
		*(word *)d = *(const word *)s;
	*(word *)tail = last;
}

/* Copy downwards: right for dst above src. */
static void copy_down(char *d, const char *s, size_t n)
{
	while (n >= WORD) {
		n -= WORD;
		*(word *)(d + n) = *(const word *)(s + n);
	}
	while (n--)
		d[n] = s[n];
}

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes)
{
	copy_up(dst, src, bytes);
	return dst;
}

void *memmove(void *dst, const void *src, size_t bytes)
{
	if ((uintptr_t)dst <= (uintptr_t)src)
		copy_up(dst, src, bytes);
	else
		copy_down(dst, src, bytes);
	return dst;
}

void *memset(void *dst, int byte, size_t bytes)
{
	char *d = dst, *tail;
	word w = (unsigned char)byte * 0x0101010101010101ul;

	if (bytes < WORD) {
		while (bytes--)
			*d++ = (char)byte;
		return dst;
	}
	tail = d + bytes - WORD;
	if (bytes >= LONG)
		d = insn_fill(d, w, bytes / WORD);
	for (; d < tail; d += WORD)
		*(word *)d = w;
	*(word *)tail = w;
	return dst;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *p = a, *q = b;

	while (bytes >= WORD && *(const word *)p == *(const word *)q) {
		p += WORD;
		q += WORD;
		bytes -= WORD;
	}
	for (; bytes--; p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int byte, size_t bytes)
{
	const unsigned char *p = s;

	for (; bytes--; p++)
		if (*p == (unsigned char)byte)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

size_t string_copy(char *dst, const char *src, size_t bytes)
{
	size_t length = strlen(src);
	size_t n = length < bytes ? length : bytes - 1;

	if (bytes) {
		memcpy(dst, src, n);
		dst[n] = 0;
	}
	return length;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool string_has_word(const char *line, size_t bytes, const char *wanted)
{
	size_t length = strlen(wanted);
	size_t at = 0, start;

	while (at < bytes && line[at]) {
		start = at;
		while (at < bytes && line[at] && !is_blank(line[at]))
			at++;
		if (at - start == length && !memcmp(line + start, wanted, length))
			return true;
		while (at < bytes && is_blank(line[at]))
			at++;
	}
	return false;
}
