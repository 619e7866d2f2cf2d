/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what the loader hands to the kernel.
 *
 * All addresses are physical unless named _va.  The kernel is entered in 64-bit mode, interrupts
 * off, on the stack and page tables the loader made, with rdi = virtual address of struct
 * exo_boot in the direct map.
 *
 * Page tables at entry: all RAM and everything below 4 GiB at EXO_DIRECT_VA + physical address
 * (read, write, no execute; device ranges are remapped uncached by the kernel); the kernel image at
 * EXO_KERNEL_VA in 4 KiB pages with the rights of its parts; an identity mapping of the
 * loader's last page, which the kernel removes first thing.
 */
#ifndef EXO_BOOT_H
#define EXO_BOOT_H

#include <stddef.h>
#include <stdint.h>

#define EXO_BOOT_MAGIC   0x746f6f626f7865ul     /* "exoboot" */
#define EXO_BOOT_VERSION 1
#define EXO_KERNEL_VA    0xffffffff80000000ul
#define EXO_DIRECT_VA    0xffff800000000000ul
#define EXO_CMDLINE_MAX  2048u  /* bytes with the NUL; the loader refuses a longer line */

enum exo_boot_mem {
	EXO_BOOT_FREE = 1,      /* usable RAM, now free */
	EXO_BOOT_KEPT,          /* RAM of loader and kernel: image, tables, boot info, stack */
	EXO_BOOT_ARCHIVE,       /* RAM that holds the boot archive, page aligned */
	EXO_BOOT_INIT,          /* RAM that holds the first program's pages */
	EXO_BOOT_ACPI,          /* ACPI tables (reclaimable or NVS) */
	EXO_BOOT_FIRMWARE,      /* firmware's, never touched */
};

struct exo_boot_range {         /* sorted by lo, never overlapping */
	uint64_t lo, hi;        /* pfn, [lo, hi) */
	uint32_t kind;          /* enum exo_boot_mem */
	uint32_t spare;
};

/* A part of the first program: ELF program headers, already laid out in pages. */
struct exo_boot_seg {
	uint64_t va;            /* page aligned */
	uint64_t pa;            /* page aligned, consecutive frames */
	uint32_t pages;
	uint32_t rights;        /* EXO_R_READ, WRITE, EXEC of cap.h */
};
#define EXO_BOOT_SEGS 8u

struct exo_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t size;                  /* of this struct */
	uint64_t kernel_pa;             /* of the image linked at EXO_KERNEL_VA */
	uint64_t kernel_pages;
	uint64_t pml4_pa;               /* the tables in CR3; below 4 GiB */
	uint64_t archive_pa;            /* boot archive, see archive.h; 0 bytes never happens */
	uint64_t archive_bytes;
	uint64_t symbols_pa;            /* kernel symbols for backtraces, see archive.h; 0: none */
	uint64_t symbols_bytes;
	uint64_t rsdp;                  /* ACPI root pointer, 0: none */
	uint64_t ap_page;               /* a free page below 1 MiB to start CPUs from, 0: none */
	uint64_t boot_tsc;              /* time stamp right after ExitBootServices */
	uint64_t screen_base, screen_bytes;      /* GOP frame buffer, 0: none */
	uint32_t screen_width, screen_height;
	uint32_t screen_stride, screen_format;   /* pixels; 0 RGB, 1 BGR */
	uint32_t volume;                /* 1: a volume to read \exo\ from was there */
	uint32_t ranges;                /* entries at ranges_pa */
	uint64_t ranges_pa;             /* struct exo_boot_range[] */
	uint64_t init_entry;            /* virtual address of the first program's entry */
	uint32_t init_segs;
	uint32_t cmdline_bytes;
	struct exo_boot_seg init_seg[EXO_BOOT_SEGS];
	char     cmdline[EXO_CMDLINE_MAX];
};
_Static_assert(offsetof(struct exo_boot, cmdline) == 160 + EXO_BOOT_SEGS * 24, "boot.h");

#endif
