/* SPDX-License-Identifier: MIT */
/*
 * types.h - the integers of the ABI, with their units.
 */
#ifndef EXO_TYPES_H
#define EXO_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define EXO_ABI_MAJOR 1
#define EXO_ABI_MINOR 1

#define EXO_PAGE_SHIFT 12
#define EXO_PAGE_SIZE  4096ul
#define EXO_CHUNK_FRAMES 512u           /* frames of a 2 MiB chunk */

/* Name of a claim: generation << 32 | sid.  0 names nothing. */
typedef uint64_t exo_slot;

/*
 * Physical name of a table slot: physical address / 64.  Table frames lie below 256 GiB, so
 * that it fits 32 bits.  0 means none.
 */
typedef uint32_t exo_sid;

static inline exo_sid exo_slot_sid(exo_slot s) { return (exo_sid)s; }
static inline uint32_t exo_slot_gen(exo_slot s) { return (uint32_t)(s >> 32); }
static inline exo_slot exo_slot_make(exo_sid sid, uint32_t gen)
{
	return (exo_slot)gen << 32 | sid;
}

/* The slots of the table frame `pfn` are sid [pfn * 64, pfn * 64 + 64). */
#define EXO_SLOTS_PER_FRAME 64u

#endif
