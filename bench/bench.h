/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the rows of exo share beyond row.h.
 */
#ifndef BENCH_H
#define BENCH_H

#include <exo/machine.h>

#include "row.h"

/* Rows that are longer than a time slot (reclaim.c): measure and print; how many were missed. */
unsigned bench_reclaim(void);

/* Set bench_scale, bench_tsc_hz and bench_agree from the boot line and the machine. */
void bench_scale_read(void);

/* Run a row between marks, for profile.py; the program's exit code. */
int bench_profile(const char *name);
void bench_profile_mark(void);          /* does nothing; its address is what is looked for */

/* The rest of the boot line behind a word, or NULL if it is not there. */
const char *bench_word(const char *word);

/* Name this program in all time slots of its CPU that it may fill. */
void bench_slots_take(void);

/* The loops of x86/bench.S. */
uint64_t bench_null(uint32_t rounds);
uint64_t bench_gate(uint64_t gate, uint32_t rounds);
extern uint64_t bench_faults;
extern char bench_fault_entry[], bench_fault_lo[], bench_fault_hi[], bench_gate_entry[];

/* What the program does when it was started as the other end: argv[1] says which. */
int bench_peer_main(const char *part);

struct fs_mount_table;

/* The disk's file system, mounted; NULL if it cannot be. */
struct fs_mount_table *bench_mounts(void);

#endif
