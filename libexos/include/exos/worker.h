/* SPDX-License-Identifier: MIT */
/*
 * worker.h - further environments of this program in its own space, for other CPUs.
 *
 * A worker runs in the program's memory, with an environment page, events, upcall stacks and a
 * capability table of its own.  A table serves one environment: what a worker names in its kernel
 * calls must be given to it.  All memory it touches must be there already (exos_region_fill, or
 * globals): its faults end it with a message.  It needs a time slot (exo_slot_set) to run.
 *
 * Not for workers: what uses the program's table (exos_slot_*, exos_frame_*, exos_space_*,
 * exos_cap_*, malloc beyond touched memory, threads, the console).
 */
#ifndef EXOS_WORKER_H
#define EXOS_WORKER_H

#include <exo/env.h>
#include <exo/types.h>
#include <exos/pager.h>

struct exos_worker {
	exo_slot env;           /* its ENV claim */
	exo_slot table;         /* its TABLE claim */
	uint64_t env_pfn;       /* first of its EXO_FRAMES_ENV frames */
	uint64_t table_pfn;
	struct exo_env_page *page;
	struct exos_region stack;
	int  (*start)(void *argument);
	void *argument;
};

/* Make a worker; it does not run yet. 0 or -EXO_E_* with nothing left behind. */
int exos_worker_make(struct exos_worker *worker);

/*
 * Derive a claim of the program into the worker's table (rights may carry EXO_SHARE); its name
 * there in *out.  At most EXO_SLOTS_PER_FRAME claims.  0 or -EXO_E_*.
 */
int exos_worker_give(struct exos_worker *worker, exo_slot claim, uint32_t rights, exo_slot *out);

/* start(argument) runs, on its own stack, as soon as it has a time slot. 0 or -EXO_E_*. */
int exos_worker_start(struct exos_worker *worker, int (*start)(void *argument), void *argument);

/* Stop it if it still runs and take everything back. */
void exos_worker_end(struct exos_worker *worker);

#endif
