/* SPDX-License-Identifier: MIT */
/*
 * pte.h - bits and indices of x86-64 page-table entries (Intel SDM volume 3, section 4.5).
 */
#ifndef EXO_X86_PTE_H
#define EXO_X86_PTE_H

#include <exo/types.h>
#include <stdbool.h>

#define PTE_P   0x001ul
#define PTE_W   0x002ul
#define PTE_U   0x004ul
#define PTE_PWT 0x008ul
#define PTE_PCD 0x010ul
#define PTE_PS  0x080ul         /* in levels 2 and 3: a large page */
#define PTE_G   0x100ul
#define PTE_NX  (1ul << 63)
#define PTE_PFN_MASK 0x000ffffffffff000ul

static inline uint64_t pte_pfn(uint64_t pte) { return (pte & PTE_PFN_MASK) >> EXO_PAGE_SHIFT; }

/* Index of `va` in a table of `level`, 1 to 4. */
static inline unsigned pte_index(uint64_t va, unsigned level)
{
	return va >> (3 + 9 * level) & 511;
}

/* Bytes and frames that one entry of a table of `level` covers. */
static inline uint64_t level_bytes(unsigned level) { return 1ul << (3 + 9 * level); }
static inline uint64_t level_frames(unsigned level) { return 1ul << (9 * (level - 1)); }

#endif
