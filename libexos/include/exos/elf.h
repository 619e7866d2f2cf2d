/* SPDX-License-Identifier: MIT */
/*
 * elf.h - check a program file before anything of it is believed.
 *
 * Accepted are static 64-bit ELF executables for x86-64, as the system's own linker script makes
 * them.  What is accepted is said in struct elf_program and in nothing else: who loads a program
 * reads that, never the file's headers.
 */
#ifndef EXOS_ELF_H
#define EXOS_ELF_H

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS 8u         /* loadable segments a program may have */
#define ELF_HEADERS  32u        /* program headers a file may have */

/* Whole pages with one set of rights. */
struct elf_segment {
	uint64_t va;            /* of its first page */
	uint64_t pages;         /* at least 1 */
	uint64_t skip;          /* bytes of the first page before the file's bytes, < 4096 */
	uint64_t file_off;      /* bytes to copy: [file_off, file_off + file_bytes) of the file */
	uint64_t file_bytes;    /* skip + file_bytes <= pages * 4096; the rest is zero */
	uint32_t rights;        /* EXO_R_READ, with EXO_R_WRITE or EXO_R_EXEC or neither */
	uint16_t in_file;       /* 1: the file has all its bytes, none need be made zero */
	uint16_t unset;         /* 1: has no bytes, and is never read before it is written;
				 * flag 0x100000 of the segment */
};

struct elf_program {
	uint64_t entry;         /* address of the first instruction, in an executable segment */
	uint64_t pages;         /* sum over the segments */
	uint32_t segments;      /* at least 1 */
	uint32_t spare;
	struct elf_segment segment[ELF_SEGMENTS];  /* ascending, no page in two of them */
};

/*
 * Check the whole of a file (ELF-64 Object File Format, version 1.5; System V ABI for x86-64,
 * chapter 4 and 5).
 *
 * bytes, size  the file; no alignment is needed
 * lo, hi       the addresses a program may use, multiples of 4096: each segment must lie within
 * out          filled in on success; untouched otherwise
 *
 * NULL if the file is sound, else why it is not, as a phrase to put behind "cannot run FILE: ".
 */
const char *elf_check(const void *bytes, size_t size, uint64_t lo, uint64_t hi,
		      struct elf_program *out);

#endif
