/* SPDX-License-Identifier: MIT */
/*
 * stdlib.h - what lwIP asks of a libc's stdlib.h, in a program that has none.
 */
#ifndef LWIP_STUB_STDLIB_H
#define LWIP_STUB_STDLIB_H

#include <stddef.h>

/* The program's heap (exos/heap.h). */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *block);

/* A decimal number, as C11 7.22.1.2; for netif_find only. */
int atoi(const char *text);

#endif
