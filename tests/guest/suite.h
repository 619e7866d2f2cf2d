/* SPDX-License-Identifier: MIT */
/*
 * suite.h - between the parts of the suite program; tests include guest.h.
 */
#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes of a test's environment. */
#define SUITE_EXIT_OK   0
#define SUITE_EXIT_FAIL 1
#define SUITE_EXIT_SKIP 2

/* The value of `key=value` in the boot line, up to the next blank; "" for a lone key; or NULL. */
const char *suite_word(const char *key);
/* Is `name` in a comma-separated list that a blank or NUL ends?  An item may end in `*`. */
bool suite_listed(const char *list, const char *name);

struct exos_spawn;

/* Enter grants and time slots of a test that needs this (GUEST_*) and lives on this CPU. */
void suite_grant(struct exos_spawn *request, uint32_t needs, unsigned home);
/* Divide the suite's own time: its slots, and those that tests are given, empty. */
void suite_time(void);

/* Does the kernel measure how long interrupts are off?  Print it; is all of it short enough? */
bool suite_latency_measured(void);
bool suite_latency_good(void);

/* The state of the machine that a test must leave as it was. */
struct snapshot;
/* Memory for one; NULL if there is none. */
struct snapshot *snapshot_make(void);
void snapshot_take(struct snapshot *s);
/* Compare: 0 if equal, else the number of differences, the first ones printed as notes. */
unsigned snapshot_compare(const struct snapshot *before, const struct snapshot *after);

#endif
