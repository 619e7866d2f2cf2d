/* SPDX-License-Identifier: MIT */
/*
 * stdlib.h - what xxhash.h asks of a libc's stdlib.h, in a program that has none.
 */
#ifndef BASE_STUB_STDLIB_H
#define BASE_STUB_STDLIB_H

#include <stddef.h>

/* Declared for the streaming functions, which are not used: a call would not link. */
void *malloc(size_t bytes);
void free(void *block);

#endif
