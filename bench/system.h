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
#define SYSTEM_PROTECT "mprotect"
#define SYSTEM_NULL "getppid"
#define SYSTEM_MAP "mmap, populated, and munmap of a memfd"
#define SYSTEM_SHARE "cpu.weight of control groups"
#define SYSTEM_SHARE_MS 1280u           /* each of its instructions is one of QEMU's clock */
#else
#include <base/string.h>
#include <exos/console.h>
#define SYSTEM_SPAWN "spawn"
#define SYSTEM_PROTECT "space_update"
#define SYSTEM_NULL "exo_version"
#define SYSTEM_MAP "space_map and space_unmap"
#define SYSTEM_SHARE "slots of the processor's vector"
#define SYSTEM_SHARE_MS 12800u          /* 20 times round the vector of 64 slots of 10 ms */
#endif
#include <stdbool.h>
#include <stdint.h>

#define SYSTEM_PAGE 4096u
#define SYSTEM_USER_ROUNDS 100u

/* Zeroed pages that are there and may be written, or NULL; and their end. */
char *system_pages(uint32_t pages);
void system_pages_end(char *at, uint32_t pages);

/* Take the right to write from pages of system_pages, or give it back: 0, or not. */
int system_protect(char *at, uint32_t pages, bool write);

/* Forget that pages were written; false: this system cannot tell.  Was one written since? */
bool system_clean(char *at, uint32_t pages);
bool system_dirty(char *at);

/* Call `handler` with the address at each store that is not allowed, then go on; NULL: no more. */
void system_store_handle(void (*handler)(char *at));

/* A file of the disk of bench/disk.py; -1 or its number.  One at a time. */
int system_open(const char *path);
void system_close(int file);
long system_read_at(int file, uint64_t offset, void *to, size_t bytes);

/* Start the small program, let it end with code 7, wait for it: the code, or -1. */
int system_spawn_wait(void);

/*
 * `count` other programs on this processor.  Each, when it is given the processor, counts, reads
 * `bytes` bytes of its own, and gives the processor to the next, the last to us.  0 or not.
 */
int system_ring_start(uint32_t count, uint32_t bytes);
void system_ring_round(void);                   /* once through all of them */
uint64_t system_ring_count(void);               /* all of them together, ever */
void system_ring_end(void);

/* What other programs do over and over, and count. */
enum system_work {
	SYSTEM_WORK_PROTECT,    /* change the rights of a page of their own */
	SYSTEM_WORK_USER,       /* SYSTEM_USER_ROUNDS rounds of an empty loop: no kernel at all */
	SYSTEM_WORK_NULL,       /* call the kernel for nothing */
	SYSTEM_WORK_MAP,        /* map a page of memory that is theirs, and unmap it */
	SYSTEM_WORKS
};
/* `cpus` other programs, each on a processor of its own, that do this: 0 or not. */
int system_work_start(uint32_t cpus, enum system_work work);
uint64_t system_work_count(void);               /* all of them together, ever */
void system_work_end(void);
/* The first work on this processor, of which program i is to have share[i] parts of their sum. */
int system_shares_start(const uint32_t *share, uint32_t count);
uint64_t system_share_count(uint32_t i);
uint32_t system_cpus(void);
void system_sleep(uint32_t ms);
void system_stay(uint32_t ms);                  /* likewise, and give none of our own time away */

/* Kinds of exceptions that a program raises by an instruction of its own (x86/loops.S). */
enum system_trap {
	SYSTEM_DIVIDE, SYSTEM_ALIGN, SYSTEM_PROTECTION, SYSTEM_COPROCESSOR,
	SYSTEM_STORE,           /* to a page that may be read only */
	SYSTEM_TRAPS
};
/* Count exceptions of this kind and go on `bytes` bytes behind the instruction; 0: no more. */
int system_trap_handle(enum system_trap kind, uint32_t bytes);
extern volatile uint64_t system_traps;

/* Pages of 4 KiB off the disk, past all caches, in one go; `together`: they follow each other. */
#define SYSTEM_DISK_MOST 256u
int system_disk_start(void);
int system_disk_read(const uint32_t *page, uint32_t count, bool together);
uint8_t *system_disk_data(uint32_t n);          /* page n of the last read, or of the next write */
/* The same pages onto the disk.  It is in the disk's hands then, which may hold it in a cache. */
int system_disk_write(const uint32_t *page, uint32_t count, bool together);
void system_disk_end(void);

#endif
