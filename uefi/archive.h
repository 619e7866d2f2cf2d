/* SPDX-License-Identifier: MIT */
/*
 * archive.h - checking, searching and building boot archives (layout: exo/archive.h).
 */
#ifndef UEFI_ARCHIVE_H
#define UEFI_ARCHIVE_H

#include <exo/archive.h>

#include "why.h"

#define ARCHIVE_KERNEL  "exo.kernel"
#define ARCHIVE_SYMBOLS "exo.symbols"
#define ARCHIVE_INIT    "init"

/* A file to put into an archive that is being built. */
struct archive_file {
	char name[EXO_ARCHIVE_NAME];
	const void *data;
	uint64_t bytes;
};

/*
 * Check all of an archive: header, names, places and every checksum.  room: bytes readable at a.
 * Nothing else here may be called on an archive that did not pass.
 */
bool archive_check(const struct exo_archive *a, uint64_t room, struct why *why);

/* The member of this name, or NULL. */
const struct exo_archive_entry *archive_find(const struct exo_archive *a, const char *name);

/* Address of a member's first byte. */
void *archive_data(const struct exo_archive *a, const struct exo_archive_entry *e);

/*
 * Take the kernel's image off the end of an archive: it is executed where it stands, and written.
 * false, with nothing changed, if it is not the last thing in the archive.
 */
bool archive_trim(struct exo_archive *a);

/*
 * Bytes of the archive that archive_build would make: the members of `old` but the kernel and
 * those that a file replaces, then the files.  A multiple of 4096; 0 if it would overflow.
 */
uint64_t archive_build_bytes(const struct exo_archive *old, const struct archive_file *file,
			     uint32_t files);

/* Build it at `out`, which has archive_build_bytes() bytes.  File names are unique. */
void archive_build(struct exo_archive *out, const struct exo_archive *old,
		   const struct archive_file *file, uint32_t files);

#endif
