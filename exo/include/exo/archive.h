/* SPDX-License-Identifier: MIT */
/*
 * archive.h - the boot archive: named files, each starting on a page, each with its checksum.
 *
 * Layout: struct exo_archive, then `count` struct exo_archive_entry, then the files.  hash of the
 * header is XXH64 (seed 0) of the entries; hash of an entry is XXH64 of its bytes.  Names are
 * unique; bytes after the NUL are 0.  The kernel's own image is the member "exo.kernel", its
 * symbols "exo.symbols", the first program "init".
 */
#ifndef EXO_ARCHIVE_H
#define EXO_ARCHIVE_H

#include <stdint.h>

#define EXO_ARCHIVE_MAGIC 0x31657669686372ul    /* "rchive1" */
#define EXO_ARCHIVE_NAME  48u

struct exo_archive {
	uint64_t magic;
	uint64_t bytes;         /* of the whole archive, a multiple of 4096 */
	uint64_t hash;          /* of the entries */
	uint32_t count;
	uint32_t spare;
};
struct exo_archive_entry {
	char     name[EXO_ARCHIVE_NAME];
	uint64_t offset;        /* from the archive's start, a multiple of 4096 */
	uint64_t bytes;
	uint64_t hash;
};
_Static_assert(sizeof(struct exo_archive) == 32, "archive.h");
_Static_assert(sizeof(struct exo_archive_entry) == 72, "archive.h");

/*
 * Symbols: uint32 count, then count times {uint32 offset from EXO_KERNEL_VA, uint32 offset of the
 * name from the start of the member}, sorted by offset; then the names, NUL terminated.
 */

#endif
