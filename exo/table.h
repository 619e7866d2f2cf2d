/* SPDX-License-Identifier: MIT */
/*
 * table.h - page table objects: walking them, their entries, their shadows, their end.
 *
 * A page table object is four frames: the table and three shadow frames, which hold for each
 * entry the slot that authorised it and its links on that slot's binding list.  Invariant: the
 * lists and the present leaf entries are a bijection.  All of it runs with tree_lock held.
 */
#ifndef EXO_TABLE_H
#define EXO_TABLE_H

#include <exo/cap.h>

#include "x86/pte.h"

/* One for each entry of a table.  Entries are named by physical address / 8. */
struct shadow {
	exo_sid  claim;         /* that authorised the entry; only a present leaf entry has one */
	uint32_t most;          /* EXO_R_* the entry may be given */
	uint64_t next, prev;    /* entries on the claim's list; 0: none */
};

/* What the map entry of each frame of a page table object links to. */
enum table_link {
	TABLE_PARENT,           /* the entry it hangs on; 0: on none */
	TABLE_LEVEL,
	TABLE_ENVS,             /* level 4: pfn of the first environment that runs in it */
	TABLE_SPARE,
};
uint64_t *table_link(uint64_t pfn, enum table_link which);

/* Make the four frames an empty page table of `level`; level 4 also gets the kernel's half. */
void table_make(uint64_t pfn, unsigned level);

/* A bounded piece of taking a page table, or a whole space, apart: 0 or EXO_MORE. */
int table_end(uint64_t pfn);

/*
 * The table of `level` that translates va in the space, or NULL if there is none.  *big says
 * whether a large page is mapped there instead.
 */
uint64_t *table_walk(uint64_t space, uint64_t va, unsigned level, bool *big);

/* Is an entry of a table of `level` a mapping (not empty, not a link to a table)? */
static inline bool entry_is_leaf(uint64_t pte, unsigned level)
{
	return (pte & PTE_P) && (level == 1 || (pte & PTE_PS));
}

/* Write an empty entry and put it on the claim's list. */
void entry_install(uint64_t *pte, unsigned level, uint64_t value, struct exo_cap *claim, uint32_t most);
/* Empty a leaf entry and take it off its claim's list.  The translation may still be cached. */
void entry_remove(uint64_t *pte, unsigned level);

struct shadow *shadow_of(const uint64_t *pte);

/* A bounded piece of removing every mapping made by the claim: 0 or EXO_MORE. */
int entries_unbind(struct exo_cap *c);

/* End the one TRACE mapping that an object may have. */
void trace_unmap(struct exo_cap *object);

#endif
