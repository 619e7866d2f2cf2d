/* SPDX-License-Identifier: MIT */
/*
 * archive.h - reading the boot archive (exo/archive.h), which the grant `archive` shares.
 *
 * The archive was checked by the loader only as far as the loader used it: all offsets and
 * checksums are checked again before anything is believed.
 */
#ifndef EXOS_ARCHIVE_H
#define EXOS_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include <exo/archive.h>

#define EXOS_ARCHIVE_PARTS 4u   /* runs of frames it may be granted in */

struct exos_archive {
	const uint8_t *base;
	uint64_t bytes;
	uint32_t parts;         /* readable: [part_lo, part_hi), bytes from base */
	uint64_t part_lo[EXOS_ARCHIVE_PARTS], part_hi[EXOS_ARCHIVE_PARTS];
	uint32_t count;         /* of entries, all of them sound */
	const struct exo_archive_entry *entry;
};

/*
 * Check an archive in memory: NULL, or what is wrong with it, as a phrase.  base, parts, part_lo
 * and part_hi are given, the rest is filled in.
 */
const char *exos_archive_check(struct exos_archive *archive);

/*
 * Map the granted archive for reading and check it; NULL, or a phrase.  Files within frames that
 * were not granted (the kernel runs where its file lies) are not readable.
 */
const char *exos_archive_open(struct exos_archive *out);

/*
 * A member, after comparing its checksum: NULL and *data, *bytes; or a phrase ("there is no such
 * program in the boot archive").
 */
const char *exos_archive_find(const struct exos_archive *archive, const char *name,
			      const void **data, size_t *bytes);

#endif
