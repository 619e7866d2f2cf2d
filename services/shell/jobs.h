/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - programs that the shell started, and the time slots they share.
 */
#ifndef SHELL_JOBS_H
#define SHELL_JOBS_H

#include <stddef.h>
#include <stdint.h>

/* Say which programs ended since the last time, and take back what they had. */
void jobs_reap(void);

/* End them all. */
void jobs_end_all(void);

/* "&" before the words of a command line: the next jobs_run does not wait. */
void jobs_background(int on);

/* The job that this environment is, as text; "" if it is none of ours. */
void jobs_text(uint64_t env, char *out, size_t bytes);

/* slots.c: the CPUs whose slots were granted, and who shares them. */
struct exos_child;
void slots_start(void);
/* The CPU for a new job: of those that fewest share the last.  UINT32_MAX: there are no slots. */
uint32_t slots_cpu(void);
/* Deal the slots of a CPU out again, after a job came or ended. */
void slots_deal(uint32_t cpu);

/* jobs.c, for slots.c: the n-th job on a CPU, or NULL; whoever it is gets its turn. */
const struct exos_child *jobs_on_cpu(uint32_t cpu, uint32_t n);

#endif
