/* SPDX-License-Identifier: MIT */
/*
 * run.h - which environment runs: stopping, waking, choosing.
 */
#ifndef EXO_RUN_H
#define EXO_RUN_H

#include <stdint.h>

struct env;

/*
 * Make an environment stop for `reason` (EXO_STOP_*): off its CPU, out of gates, its holder told.
 * 0, or EXO_MORE while another CPU still runs it or it is the caller itself, which stops when its
 * call ends.  tree_lock held.
 */
int env_stop(struct env *e, uint32_t reason);

/* Part a stopped environment from its space. */
void env_leave_space(struct env *e);

/* A bounded piece of ending an ENV object: 0 or EXO_MORE. */
int env_end(struct env *e);

/* Nobody uses its frames any more: zero them. */
void env_wipe(uint64_t pfn);

/* Make the frames of an ENV object a new environment, never started. */
void env_make(uint64_t pfn, exo_sid object);

/*
 * Grace: have all CPUs left the kernel since the ticket was taken?  Whoever read an object without
 * a lock before has finished then.
 */
uint32_t grace_ticket(void);
int grace_over(uint32_t ticket);

#endif
