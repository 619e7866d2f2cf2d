/* SPDX-License-Identifier: MIT */
/*
 * pager.h - regions of addresses, each with the functions that handle faults in it.
 *
 * A fault at an address in a region calls its pager on the upcall stack, upcalls off; when that
 * returns 0 the program goes on where it was.  A pager must not fault and must not call malloc;
 * it may make kernel calls, use exos_frame_*, exos_slot_* and exos_space_*, and wait for events.
 *
 * Invariant: regions never overlap; struct exos_region belongs to its maker and stays mapped
 * while it is in the list.
 */
#ifndef EXOS_PAGER_H
#define EXOS_PAGER_H

#include <exo/env.h>
#include <exo/types.h>
#include <stdbool.h>

struct exos_region;

/* A fault, as the processor reports it (SDM 3A 4.7). */
struct exos_fault {
	uint64_t va;            /* faulting address */
	uint64_t error;         /* EXOS_FAULT_* */
	struct exo_context *context;    /* all registers; changing them changes what is resumed */
};
#define EXOS_FAULT_PRESENT 0x01         /* a page was there: its rights forbid it */
#define EXOS_FAULT_WRITE   0x02
#define EXOS_FAULT_FETCH   0x10

/* What a region does.  Each may be NULL. */
struct exos_pager {
	const char *name;
	/* Make the page at fault->va usable: 0, or -EXO_E_* if that is impossible or forbidden. */
	int  (*fault)(struct exos_region *region, struct exos_fault *fault);
	/*
	 * The pages [va, va + pages * 4096) are given up: unmap and free what was mapped.  Of a
	 * region that can be rebuilt pages may stay that are in use just now.
	 */
	void (*discard)(struct exos_region *region, uint64_t va, uint64_t pages);
};

struct exos_region {
	uint64_t lo, hi;        /* [lo, hi), page aligned */
	uint32_t prot;          /* EXO_R_*: what the program may do there */
	uint32_t pages;         /* kept by the default pagers: pages mapped now */
	const struct exos_pager *pager;
	void *context;          /* the pager's */
	const char *name;       /* for messages */
	uint32_t flags;         /* EXOS_REGION_* */
	struct exos_region *left, *right;       /* the list's */
};

/*
 * The pager can make each page anew as it was: when memory is asked for (exos/revoke.h), or an
 * allocation finds none, pages are discarded and their frames given up.
 */
#define EXOS_REGION_REBUILD 0x01

/* Zeroed frames on first touch. Counts region->pages. */
extern const struct exos_pager exos_pager_zero;
/* Any access is an error that names the region: guard pages. */
extern const struct exos_pager exos_pager_guard;

/*
 * Enter a region: -EXO_E_ARG if it is not page aligned or empty, -EXO_E_MAPPED if it overlaps
 * one.
 */
int exos_region_add(struct exos_region *region);
/* Take it out: discards its pages first. */
void exos_region_remove(struct exos_region *region);
/* The region of an address, or NULL. */
struct exos_region *exos_region_find(uint64_t va);
/* Give up pages of a region: they are fresh at the next touch. */
void exos_region_discard(struct exos_region *region, uint64_t va, uint64_t pages);
/* Give up all pages of regions that can be rebuilt; how many went. */
uint64_t exos_region_reclaim(void);
/* Make [va, va + pages * 4096) of a region present now, so that touching it does not fault. */
int exos_region_fill(struct exos_region *region, uint64_t va, uint64_t pages);
/* Go through all in order of address: the first at or above va. */
struct exos_region *exos_region_next(uint64_t va);

/* A fresh region of demand-zero memory with a guard page below and above; 0 or -EXO_E_*. */
int exos_region_make(struct exos_region *region, uint64_t bytes, const char *name);
void exos_region_unmake(struct exos_region *region);

#endif
