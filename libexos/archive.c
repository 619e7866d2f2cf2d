/* SPDX-License-Identifier: MIT */
/*
 * archive.c - the boot archive, checked before it is believed.
 *
 * Invariant: an entry of a struct exos_archive lies within the archive and has a NUL in its name.
 */
#include <exos/archive.h>

#include <base/hash.h>
#include <base/string.h>
#include <base/util.h>
#include <exo/cap.h>
#include <exos/space.h>
#include <exos/start.h>

static const char *archive_entries_check(struct exos_archive *a, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct exo_archive_entry *e = &a->entry[i];

		if (memchr(e->name, '\0', EXO_ARCHIVE_NAME) == NULL)
			return "a name in the boot archive has no end";
		if (e->offset % EXO_PAGE_SIZE != 0 || !range_fits(e->offset, e->bytes, a->bytes))
			return "a file of the boot archive lies outside it";
	}
	a->count = count;
	return NULL;
}

/* Is [off, off + len) in a part that is mapped? */
static bool archive_readable(const struct exos_archive *a, uint64_t off, uint64_t len)
{
	for (uint32_t i = 0; i < a->parts; i++)
		if (off >= a->part_lo[i] && range_fits(off, len, a->part_hi[i]))
			return true;
	return false;
}

const char *exos_archive_check(struct exos_archive *a)
{
	struct exo_archive h;
	uint64_t list;

	a->count = 0;
	if (!archive_readable(a, 0, sizeof(h)))
		return "the boot archive is too short";
	memcpy(&h, a->base, sizeof(h));
	if (h.magic != EXO_ARCHIVE_MAGIC)
		return "what should be the boot archive is something else";
	list = (uint64_t)h.count * sizeof(struct exo_archive_entry);
	if (!range_fits(sizeof(h), list, h.bytes) || !archive_readable(a, sizeof(h), list))
		return "the boot archive is truncated";
	a->bytes = h.bytes;
	a->entry = (const struct exo_archive_entry *)(a->base + sizeof(h));
	if (hash_xxh64(a->entry, list) != h.hash)
		return "the checksum of the boot archive's list is wrong";
	return archive_entries_check(a, h.count);
}

/* Reserve addresses for all from the first to the last granted frame, and map what is granted. */
const char *exos_archive_open(struct exos_archive *a)
{
	const struct exos_grant *first = exos_grant("archive", 0), *g = first;
	uint64_t va, end;

	if (first == NULL)
		return "this program was not granted the boot archive";
	end = first->hi;
	for (uint32_t n = 1; (g = exos_grant("archive", n)) != NULL; n++)
		end = max_u64(end, g->hi);
	va = exos_space_reserve((end - first->lo) * EXO_PAGE_SIZE);
	a->base = (const uint8_t *)va;
	a->parts = 0;
	while (va != 0 && a->parts < EXOS_ARCHIVE_PARTS &&
	       (g = exos_grant("archive", a->parts)) != NULL && g->lo >= first->lo) {
		a->part_lo[a->parts] = (g->lo - first->lo) * EXO_PAGE_SIZE;
		a->part_hi[a->parts] = (g->hi - first->lo) * EXO_PAGE_SIZE;
		if (exos_space_map(&exos_space_own, va + a->part_lo[a->parts++], g->slot, g->lo,
				   g->hi - g->lo, EXO_R_READ) < 0)
			return "the boot archive cannot be mapped";
	}
	return exos_archive_check(a);
}

const char *exos_archive_find(const struct exos_archive *archive, const char *name,
			      const void **data, size_t *bytes)
{
	for (uint32_t i = 0; i < archive->count; i++) {
		const struct exo_archive_entry *e = &archive->entry[i];

		if (strcmp(e->name, name) != 0)
			continue;
		if (!archive_readable(archive, e->offset, e->bytes))
			return "it is not in the part of the boot archive that was granted";
		if (hash_xxh64(archive->base + e->offset, e->bytes) != e->hash)
			return "its checksum in the boot archive is wrong";
		*data = archive->base + e->offset;
		*bytes = e->bytes;
		return NULL;
	}
	return "there is no such program in the boot archive";
}
