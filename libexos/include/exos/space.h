/* SPDX-License-Identifier: MIT */
/*
 * space.h - mapping frames, in one's own space and in spaces that one builds for others.
 *
 * Page tables are made when they are missed: four frames each, retyped and linked.
 */
#ifndef EXOS_SPACE_H
#define EXOS_SPACE_H

#include <exo/space.h>
#include <exo/types.h>
#include <stdbool.h>

/*
 * A space one holds the SPACE claim of.  tables: where frames for its page tables come from (count
 * consecutive frames and the claim that covers them; 0 or -EXO_E_*); NULL: exos_frame_alloc.
 * linked: told of each page table made (its claim lies in a slot of exos_slot_alloc); may be NULL.
 */
struct exos_space {
	exo_slot slot;
	int  (*tables)(struct exos_space *space, uint64_t count, uint64_t *pfn, exo_slot *claim);
	void (*linked)(struct exos_space *space, exo_slot table, int level);
	void *context;          /* for the two functions */
};

/* The own space. */
extern struct exos_space exos_space_own;

/*
 * Map `pages` frames from pfn, by `claim`, at va; prot is EXO_R_READ with EXO_R_WRITE or
 * EXO_R_EXEC and an EXO_SIZE_*.  Any number of pages; what was mapped before an error stays
 * mapped.  0 or -EXO_E_*.
 */
int exos_space_map(struct exos_space *space, uint64_t va, exo_slot claim, uint64_t pfn,
		   uint64_t pages, uint32_t prot);

/* Empty the entries of `pages` 4 KiB pages; those that are empty already are skipped. */
int exos_space_unmap(struct exos_space *space, uint64_t va, uint64_t pages);

/* Change the rights of `pages` mapped pages. */
int exos_space_protect(struct exos_space *space, uint64_t va, uint64_t pages, uint32_t prot);

/* Any batch, in order, with missing tables made; 0 or -EXO_E_* of the first that failed. */
int exos_space_update(struct exos_space *space, const struct exo_map_op *ops, uint64_t count);

/* Make all page tables for [va, va + pages * 4096), so that mapping there needs no memory. */
int exos_space_prepare(struct exos_space *space, uint64_t va, uint64_t pages);

/*
 * The page-table entry of va in the own space (SDM 3A 4.5: present, writable, frame, NX), or 0 if
 * nothing is mapped there; *size, if not NULL, gets EXO_SIZE_*.
 */
uint64_t exos_space_entry(uint64_t va, uint32_t *size);

/* Is there a page table for 4 KiB pages at va in the own space? */
bool exos_space_table(uint64_t va);

/* The frame mapped at va in the own space, or 0. */
uint64_t exos_space_frame(uint64_t va);

/*
 * A fresh range of addresses, a multiple of 4 KiB; 0: none left.
 */
uint64_t exos_space_reserve(uint64_t bytes);
/* Give it back: same address and size. */
void exos_space_release(uint64_t va, uint64_t bytes);

/*
 * Map a run of frames at a fresh address, for as long as needed; NULL on an error (*error, if not
 * NULL, says which).  unmap takes the same number of pages.
 */
void *exos_space_window(exo_slot claim, uint64_t pfn, uint64_t pages, uint32_t prot, int *error);
void exos_space_window_end(void *address, uint64_t pages);

#endif
