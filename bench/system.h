/* SPDX-License-Identifier: MIT */
/*
 * system.h - what rows that are compiled for both systems ask of the one they run on.
 *
 * exo.c has it for exo, by libexos; linux/system.c for Linux, by its calls.  Each is the shortest
 * way that a program of that system has; nothing is here for the sake of a row.
 */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#if __STDC_HOSTED__
#include <stdio.h>
#include <string.h>
#define SYSTEM_SPAWN "vfork and exec"
#else
#include <base/string.h>
#include <exos/console.h>
#define SYSTEM_SPAWN "spawn"
#endif
#include <stdbool.h>
#include <stdint.h>

#define SYSTEM_PAGE 4096u

/* Zeroed pages that are there and may be written, or NULL; and their end. */
char *system_pages(uint32_t pages);
void system_pages_end(char *at, uint32_t pages);

/* Take the right to write from pages of system_pages, or give it back: 0, or not. */
int system_protect(char *at, uint32_t pages, bool write);

/* Call `handler` with the address at each store that is not allowed, then go on; NULL: no more. */
void system_store_handle(void (*handler)(char *at));

/* A file of the disk of bench/disk.py; -1 or its number.  One at a time. */
int system_open(const char *path);
void system_close(int file);
long system_read_at(int file, uint64_t offset, void *to, size_t bytes);

/* Start the small program, let it end with code 7, wait for it: the code, or -1. */
int system_spawn_wait(void);

#endif
