/* SPDX-License-Identifier: MIT */
/*
 * string.h - memory and string functions, with their standard names and contracts (C11 7.24).
 */
#ifndef BASE_STRING_H
#define BASE_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes);
void *memmove(void *dst, const void *src, size_t bytes);
void *memset(void *dst, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *s, int byte, size_t bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copy a string into `bytes` bytes, always ending it with NUL; the length of src. */
size_t string_copy(char *dst, const char *src, size_t bytes);

/* Is `wanted` one of the blank-separated words of a line of `bytes` bytes, or up to its NUL? */
bool string_has_word(const char *line, size_t bytes, const char *wanted);

#endif
