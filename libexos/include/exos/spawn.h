/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - start a program in a space of its own, and take back all it had.
 *
 * Everything a child is made of (environment, table, page tables, image, memory) comes out of one
 * FRAME claim of the starter, so that one revoke ends it and brings every frame back.  What else
 * it may do stands in a list of grants.  The kernel knows none of this.
 *
 * Invariant: a failed start leaves the starter's table, frames and space as they were.
 */
#ifndef EXOS_SPAWN_H
#define EXOS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <exo/env.h>
#include <exo/types.h>
#include <exos/start.h>

#define EXOS_SPAWN_FRAMES 4096u         /* frames of a child by default: 16 MiB */

/* A claim to derive for the child, under the name it finds it by (see struct exos_grant). */
struct exos_spawn_grant {
	const char *name;       /* at most 15 bytes */
	exo_slot slot;          /* the starter's claim; 0: only the numbers lo, hi, unit are told */
	uint64_t lo, hi;        /* the part to give; both 0: all of it */
	uint32_t rights;        /* EXO_R_*, or'ed with EXO_SHARE: the starter keeps using it */
	uint32_t unit;          /* slot 0: told as it is; else taken from the claim */
};

/* Time slots to name the child in, of a SLOT claim that the starter keeps. */
struct exos_spawn_time {
	exo_slot slot;
	uint32_t lo, hi;        /* slots [lo, hi) */
	uint32_t step;          /* every step-th of them; at least 1 */
};

struct exos_spawn {
	const void *file;       /* the ELF file, whole, in readable memory; see exos_spawn */
	size_t      file_bytes;
	int         argc;
	const char *const *argv;        /* argc strings, copied */
	uint64_t    frames;     /* in all for the child, its objects too; 0: EXOS_SPAWN_FRAMES */
	const struct exos_spawn_grant *grant;
	uint32_t    grants;
	uint32_t    times;
	const struct exos_spawn_time *time;
	bool        clean;      /* zero the memory it gets beyond its image, and stacks in it */
	bool        hold;       /* make it ready, but leave the start to exos_child_start */
};

struct exos_child {
	struct exo_env_page *page;      /* its environment page, mapped here */
	const char *why;        /* after a failed start: what failed, as a phrase */
	uint64_t pfn, frames;   /* its memory */
	uint64_t entry;         /* address of its first instruction */
	uint32_t event;         /* entry of the own event ring, posted when it stops */
	uint32_t bell;          /* entry that its `parent` doorbell posts */
	exo_sid  run;           /* the starter's slots that its objects take: the first of those
				 * that every child takes, and the others */
	exo_slot few[16], *more;        /* all are in `more` when it is not NULL */
	uint32_t slots, room;
	exo_slot memory;        /* FRAME: all of it; revoking it ends the child */
	exo_slot image;         /* FRAME: image and start block */
	exo_slot env, space, table;
};

/*
 * Start a program.  Beside the grants asked for it gets `env`, `space`, `table`, `memory`, `image`
 * and `parent`; a grant called `export` is mapped for it too.  0, or -EXO_E_* with child->why:
 * -EXO_E_ARG for a file that is refused, -EXO_E_ROOM without enough memory or slots, else the
 * error of the claim that could not be given.
 *
 * Of a file that lies in frames of a grant `archive`, read-only parts in whole pages are mapped by
 * that grant, if it has the rights (EXO_R_EXEC for code): it must then be kept as long as the
 * child lives.  Of any other file all is copied.
 */
int exos_spawn(const struct exos_spawn *request, struct exos_child *child);

/* Start a child that was made with `hold`. */
int exos_child_start(struct exos_child *child);

/* Name the child in time slots; the first error. */
int exos_child_time(const struct exos_child *child, const struct exos_spawn_time *time,
		    uint32_t times);

/* Does it still run?  Its stop_reason (env.h) and exit_code are read from child->page. */
bool exos_child_runs(const struct exos_child *child);

/*
 * Wait until it stops or the deadline (TSC, 0: none) has passed: stop_reason (EXO_STOP_*);
 * EXO_STOP_RUNS if it still runs.  Its memory stays until exos_child_end.
 */
uint32_t exos_child_wait(struct exos_child *child, uint64_t deadline_tsc);

/* Take back all it had, stopped or not.  0 or -EXO_E_*. */
int exos_child_end(struct exos_child *child);

/* Why it stopped, as a phrase. */
const char *exos_stop_text(uint32_t stop_reason);

#endif
