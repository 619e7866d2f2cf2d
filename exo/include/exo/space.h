/* SPDX-License-Identifier: MIT */
/*
 * space.h - address spaces: entries of the batched call exo_space_update.
 *
 * A space is a tree of x86-64 page tables whose frames, table frames included, its owner names.
 */
#ifndef EXO_SPACE_H
#define EXO_SPACE_H

#include <exo/types.h>

/*
 * Each space maps its own tables, read-only to user mode, at this entry of the top-level table:
 * the entry for va at level 1 stands at EXO_SELF_VA + (va >> 12) * 8.
 */
/*
 * Whose addresses a SPACE translates: the argument of exo_retype for one, and `unit` of its claims.
 * Those of a guest and of a device map nothing of the kernel and not themselves; no environment
 * runs in them.
 */
enum exo_space_use {
	EXO_SPACE_ENV,          /* an environment's */
	EXO_SPACE_GUEST,        /* a virtual machine's: guest physical to physical */
	EXO_SPACE_DEVICE,       /* a device's, for DMA */
	EXO_SPACE_USES
};

#define EXO_SELF_SLOT 255ul
#define EXO_SELF_VA   (EXO_SELF_SLOT << 39)
#define EXO_USER_TOP  0x00007ffffffff000ul   /* addresses [0, USER_TOP) are the program's */

enum exo_map_op_code {
	EXO_MAP = 1,    /* map `pages` frames from pfn at va, by the claim `slot` */
	EXO_UNMAP,      /* empty the entries of `pages` pages at va; empty ones are skipped */
	EXO_PROTECT,    /* change the rights of `pages` mapped pages at va, within the claim's */
	EXO_LINK,       /* hang the page table named by claim `slot` into the tree, for va */
	EXO_UNLINK,     /* take the page table of level `level` (1 to 3) for va out of the tree */
};

/* prot of a mapping: EXO_R_READ, with EXO_R_WRITE or EXO_R_EXEC, and a size */
#define EXO_SIZE_4K 0x0000
#define EXO_SIZE_2M 0x1000
#define EXO_SIZE_1G 0x2000

/*
 * One entry.  pages counts pages of the given size; it may be at most EXO_MAP_MAX.  The claim of a
 * mapping may be
 *   FRAME (memory or device frames it holds, or shares of them; kernel exports: read-only),
 *   ENV, RING or PACKETS with EXO_R_MAP (the pages shared with the kernel: read and write),
 *   TABLE with EXO_R_MAP (read-only),
 *   TRACE (read-only, 4 KiB, one frame: a TABLE, ENVPAGE, PT or FILTER frame or the
 *   struct exo_packets_page of anybody; at most one
 *   such mapping of a frame exists, and it ends with the object),
 *   PCI with EXO_R_MAP (registers of the function: read and write, 4 KiB; see pci.h).
 * In the space of a device only FRAME claims map.
 */
struct exo_map_op {
	exo_slot slot;
	uint64_t va;
	uint64_t pfn;
	uint32_t pages;
	uint16_t op;            /* enum exo_map_op_code */
	uint16_t prot;          /* EXO_R_* | EXO_SIZE_*; UNLINK: the level */
};
_Static_assert(sizeof(struct exo_map_op) == 32, "ABI: exo_map_op");
_Static_assert(offsetof(struct exo_map_op, pages) == 24, "ABI: exo_map_op");

#define EXO_MAP_MAX   4096u     /* pages one entry may name, and after which a batch stops */
#define EXO_BATCH_MAX 64u       /* entries of one call */

#endif
