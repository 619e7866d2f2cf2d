/* SPDX-License-Identifier: MIT */
/*
 * elf.h - checking the first program's ELF file and planning its pages.
 */
#ifndef UEFI_ELF_H
#define UEFI_ELF_H

#include <exo/boot.h>

#include "why.h"

#define ELF_PART_PAGES 1024u    /* most pages of one segment: no run above 4 MiB is needed */

/* One loadable segment: `bytes` bytes of the file from `offset`, at `skip` in its first page. */
struct elf_part {
	uint64_t va;            /* page aligned */
	uint32_t pages;         /* 1 to ELF_PART_PAGES */
	uint32_t rights;        /* EXO_R_* of cap.h, never WRITE and EXEC together */
	uint64_t offset, bytes; /* inside the file; skip + bytes fits in the pages */
	uint64_t skip;
};

struct elf_plan {
	uint64_t entry;         /* inside an executable part */
	uint32_t parts;         /* 1 to EXO_BOOT_SEGS, ascending in va, apart */
	struct elf_part part[EXO_BOOT_SEGS];
};

/*
 * Check a static ELF64 executable for x86-64 (System V gABI chapters 4 and 5) and plan its pages.
 * name: for messages.  Every byte of the file may lie.
 */
bool elf_plan_make(struct elf_plan *plan, const char *name, const void *file, uint64_t bytes,
		   struct why *why);

/* Copy a part into its pages: `to` has part->pages pages. */
void elf_part_copy(const struct elf_part *part, const void *file, void *to);

#endif
