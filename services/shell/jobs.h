/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - programs that the shell started, and the time slots they share.
 */
#ifndef SHELL_JOBS_H
#define SHELL_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Say which programs ended since the last time, and take back what they had. */
void jobs_reap(void);

/* End them all. */
void jobs_end_all(void);

/*
 * Start a program and enter it into the list: NULL with *why, as a phrase, and the error.
 * interrupt: entry of its event ring that Ctrl-C posts before it is ended by force; 0: none.
 */
struct job;
struct exos_spawn;
struct job *jobs_start(const struct exos_spawn *request, uint32_t interrupt, const char **why,
		       int *error);

/* Wait for a job; Ctrl-C ends it.  0, or 1 if it did not end well. */
int jobs_wait(struct job *job);

/* Say that a job goes on in the background. */
void jobs_leave(const struct job *job);

/* run.c: "&" at the end of a command line: the next program that is started is not waited for. */
void run_background(bool on);

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
