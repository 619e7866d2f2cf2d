/* SPDX-License-Identifier: MIT */
/*
 * row.h - one row of the table: an operation, how it is repeated, how its effect is checked.
 *
 * A row is in the table by being linked.  This much is the same on exo and on Linux: the rows in
 * both/ are compiled for both, and rows of one name in a file of each system are the same job done
 * by each system's own means.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a row needs or is, or'ed. */
#define BENCH_DISK 0x1          /* measured in the boot that has the disk, and only there */
#define BENCH_LONG 0x2          /* time slots end in it: the median counts, ticks included */
#define BENCH_TIME 0x4          /* says nothing in instructions */

struct bench_row {
	const char *name;
	uint32_t must, stretch;         /* instructions; 0: no target */
	uint32_t rounds;                /* of the shorter loop; the longer has twice as many */
	uint32_t share;                 /* operations in one round, by which the cost is divided */
	uint32_t flags;                 /* BENCH_* */
	const char *way;                /* the mechanism, where the systems differ; may be NULL */
	/* Make ready, once: NULL, or why it cannot be measured; BENCH_SKIP and why not here. */
	const char *(*begin)(void);
	/* Before each run, outside the measured part; may be NULL. */
	void (*reset)(uint32_t rounds);
	/* Do the operation so many times; nothing else costs in proportion to `rounds`. */
	void (*run)(uint32_t rounds);
	/* After each run: NULL if its rounds did what they should, or what they did not. */
	const char *(*check)(uint32_t rounds);
	void (*end)(void);              /* may be NULL */
};

/* First character of begin's answer: this machine or system has no such thing. */
#define BENCH_SKIP "-"

/* Enter a row into the table, behind those of the lines above. */
#ifdef __clang__
#define BENCH_IN_ORDER used
#else
#define BENCH_IN_ORDER used, no_reorder
#endif
#define BENCH_ROW(row) \
	static const struct bench_row *const row##_entry \
		__attribute__((section("bench_rows"), BENCH_IN_ORDER)) = &row

/* What instructions hide, counted by the kernel; all 0 where it does not count. */
struct bench_counts {
	uint64_t entries;       /* kernel entries of all kinds */
	uint64_t space_loads;   /* page-table root loaded */
	uint64_t tlb;           /* invalidations, of a page or of all */
	uint64_t ipis;
	uint64_t vector_saves;
	uint64_t copied;        /* bytes between user memory and kernel */
};
#define BENCH_COUNTS (sizeof(struct bench_counts) / 8)

/* What was found: tenths of a unit, and the counters over so many operations. */
struct bench_result {
	uint32_t n;             /* samples */
	uint64_t min10, median10, max10;
	struct bench_counts counts;
	uint64_t operations;
};

/* Time stamps of an instruction (under -icount), or 0: figures are nanoseconds. */
extern uint64_t bench_scale;
/* Of a second; set before anything is measured. */
extern uint64_t bench_tsc_hz;
/* Samples that must be equal to the last digit; 0: the median of many. */
extern uint32_t bench_agree;
/* Leave rows with BENCH_LONG out. */
extern bool bench_brief;

/* Measure all rows that `only` (words with commas between; NULL: any) is found in the names of,
 * those with or without BENCH_DISK.  How many missed their must or could not be measured. */
unsigned bench_table(const char *only, bool disk);

/* The row share_error_321, with QEMU's own clock: the host takes nothing from who is measured. */
void bench_shares(void);

/* The rows scale_* that are wanted, in time, for 1 to at most 4 processors. */
void bench_scaling(const char *only);

/* What an empty round costs; taken off every row. */
void bench_calibrate(void);

/* Print the line that names the columns, and that of a row: false if it missed its must. */
void bench_head_print(void);
bool bench_row_print(const struct bench_row *row, const struct bench_result *result);
/* The last line: how many rows were printed, how many missed or failed. */
void bench_end_print(unsigned missed);
/* A line that is no loop: a size, say.  way: as in a row; may be NULL. */
void bench_value_print(const char *name, const char *unit, uint64_t value, const char *way);

/* Is a part of the name among the words, with commas between?  NULL: any name is. */
bool bench_wanted(const char *name, const char *only);

/* The system's, see system.c of each. */
uint64_t bench_time(void);                      /* time stamp, in order with what stands around */
void bench_counts_read(struct bench_counts *out);
uint64_t bench_slot(void);                      /* changes at a slot's end or interrupt */

/* The loops of x86/loops.S. */
void bench_empty(uint32_t rounds);
void bench_fault(uint32_t rounds);              /* an invalid instruction of two bytes a round */
void bench_touch(void *at, uint32_t pages);     /* store 1 into the first word of each page */
void bench_divide(uint32_t rounds);             /* exceptions: see loops.S for their lengths */
void bench_privileged(uint32_t rounds);
void bench_unaligned(uint32_t rounds);
void bench_coprocessor(uint32_t rounds);
void bench_read(const void *at, uint32_t lines);        /* the first word of each 64 bytes */
void bench_store(void *at, uint32_t rounds);    /* to the same word; the store is 2 bytes long */

#endif
