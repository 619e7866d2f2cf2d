/* SPDX-License-Identifier: MIT */
/*
 * bench.h - one row of the table: an operation, how it is repeated, how its effect is checked.
 */
#ifndef BENCH_H
#define BENCH_H

#include <exo/machine.h>
#include <stdbool.h>
#include <stdint.h>

struct bench_row {
	const char *name;
	uint32_t must, stretch;         /* instructions; 0: no target */
	uint32_t rounds;                /* of the shorter loop; the longer has twice as many */
	uint32_t share;                 /* operations in one round, by which the cost is divided */
	/* Make ready, once: NULL, or why the row cannot be measured. */
	const char *(*begin)(void);
	/* Before each run, outside the measured part; may be NULL. */
	void (*reset)(uint32_t rounds);
	/* Do the operation so many times; nothing else costs in proportion to `rounds`. */
	void (*run)(uint32_t rounds);
	/* After each run: NULL if its rounds did what they should, or what they did not. */
	const char *(*check)(uint32_t rounds);
	void (*end)(void);              /* may be NULL */
};

extern const struct bench_row *const bench_calls[], *const bench_spaces[], *const bench_peers[],
	*const bench_filters[], *const bench_vcpus[], *const bench_claims[],
	*const bench_programs[];

/* Rows that are longer than a time slot (reclaim.c): measure and print; how many were missed. */
unsigned bench_reclaim(void);

/* Measure a row and print its line; false if it missed its must, or could not be measured. */
bool bench_measure(const struct bench_row *row);

/* Set bench_scale from the boot line. */
void bench_scale_read(void);

/* Print a row's line: its cost in tenths, and the kernel's counters over so many operations. */
bool bench_row_print(const struct bench_row *row, uint64_t cost10, const struct exo_cpu_stats *s,
                     uint64_t operations);

/* The kernel's counters of the CPU we run on. */
const struct exo_cpu_stats *bench_stats(void);

/* Name this program in all time slots of its CPU that it may fill. */
void bench_slots_take(void);

/* What an empty round costs; taken off every row. */
void bench_calibrate(void);

/* TSC ticks an instruction takes (under -icount), or 0: figures are ticks. */
extern uint64_t bench_scale;

/* The loops of x86/bench.S. */
void bench_empty(uint32_t rounds);
uint64_t bench_null(uint32_t rounds);
void bench_fault(uint32_t rounds);
uint64_t bench_gate(uint64_t gate, uint32_t rounds);
void bench_touch(void *at, uint32_t pages);
extern uint64_t bench_faults;
extern char bench_fault_entry[], bench_fault_lo[], bench_fault_hi[], bench_gate_entry[];

/* What the program does when it was started as the other end: argv[1] says which. */
int bench_peer_main(const char *part);

#endif
