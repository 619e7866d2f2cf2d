/* SPDX-License-Identifier: MIT */
/*
 * archive.c - checking, searching and building boot archives.
 *
 * Invariant: an archive that passed archive_check has unique, well-formed names, and members that
 * lie inside it, page aligned, apart from each other and from the table, with matching checksums.
 * Knows no firmware.
 */
#include "archive.h"

#include <base/hash.h>
#include <base/string.h>
#include <base/util.h>

enum { PAGE = 4096 };

static const struct exo_archive_entry *entries_of(const struct exo_archive *a)
{
	return (const struct exo_archive_entry *)(a + 1);
}

static uint64_t table_bytes(uint64_t count)
{
	return sizeof(struct exo_archive) + count * sizeof(struct exo_archive_entry);
}

static bool header_check(const struct exo_archive *a, uint64_t room, struct why *why)
{
	if (room < sizeof(*a) || a->magic != EXO_ARCHIVE_MAGIC)
		return refuse(why, "boot archive: not one (wrong magic); build exo.efi again");
	if (a->bytes > room || a->bytes % PAGE || a->bytes < sizeof(*a))
		return refuse(why, "boot archive: header says %lu bytes, there are %lu; "
			      "the file was cut short", a->bytes, room);
	if (a->count > (a->bytes - sizeof(*a)) / sizeof(struct exo_archive_entry))
		return refuse(why, "boot archive: %u members do not fit in it", a->count);
	if (hash_xxh64(entries_of(a), a->count * sizeof(struct exo_archive_entry)) != a->hash)
		return refuse(why, "boot archive: its table of members does not match its "
			      "checksum");
	return true;
}

static bool name_check(const char *name)
{
	uint32_t n = 0;

	while (n < EXO_ARCHIVE_NAME && name[n] > ' ' && name[n] < 0x7f)
		n++;
	if (n == 0 || n == EXO_ARCHIVE_NAME)
		return false;
	for (; n < EXO_ARCHIVE_NAME; n++)
		if (name[n])
			return false;
	return true;
}

static bool entry_check(const struct exo_archive *a, const struct exo_archive_entry *e,
			struct why *why)
{
	if (!name_check(e->name))
		return refuse(why, "boot archive: member %ld has a malformed name",
			      (long)(e - entries_of(a)));
	if (e->offset % PAGE || e->offset < table_bytes(a->count) ||
	    !range_fits(e->offset, e->bytes, a->bytes))
		return refuse(why, "%s: lies outside the boot archive", e->name);
	if (hash_xxh64(archive_data(a, e), e->bytes) != e->hash)
		return refuse(why, "%s: its checksum does not match; the file is damaged", e->name);
	return true;
}

/* Both passed entry_check. */
static bool pair_check(const struct exo_archive_entry *e, const struct exo_archive_entry *f,
		       struct why *why)
{
	if (strcmp(e->name, f->name) == 0)
		return refuse(why, "%s: twice in the boot archive", e->name);
	if (e->offset < f->offset + f->bytes && f->offset < e->offset + e->bytes)
		return refuse(why, "%s: overlaps %s in the boot archive", e->name, f->name);
	return true;
}

bool archive_check(const struct exo_archive *a, uint64_t room, struct why *why)
{
	const struct exo_archive_entry *e = entries_of(a);

	if (!header_check(a, room, why))
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (!entry_check(a, &e[i], why))
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (!pair_check(&e[i], &e[j], why))
				return false;
	}
	return true;
}

const struct exo_archive_entry *archive_find(const struct exo_archive *a, const char *name)
{
	const struct exo_archive_entry *e = entries_of(a);

	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(e[i].name, name) == 0)
			return &e[i];
	return NULL;
}

void *archive_data(const struct exo_archive *a, const struct exo_archive_entry *e)
{
	return (char *)a + e->offset;
}

static void table_seal(struct exo_archive *a)
{
	a->hash = hash_xxh64(entries_of(a), a->count * sizeof(struct exo_archive_entry));
}

bool archive_trim(struct exo_archive *a)
{
	struct exo_archive_entry *e = (struct exo_archive_entry *)archive_find(a, ARCHIVE_KERNEL);
	struct exo_archive_entry *end = (struct exo_archive_entry *)entries_of(a) + a->count;

	if (!e)
		return true;
	for (const struct exo_archive_entry *o = entries_of(a); o < end; o++)
		if (o->offset > e->offset)
			return false;
	a->bytes = e->offset;
	memmove(e, e + 1, (size_t)((char *)end - (char *)(e + 1)));
	memset(end - 1, 0, sizeof(*end));
	a->count--;
	table_seal(a);
	return true;
}

static bool is_kept(const struct exo_archive_entry *e, const struct archive_file *file,
		    uint32_t files)
{
	for (uint32_t i = 0; i < files; i++)
		if (strcmp(e->name, file[i].name) == 0)
			return false;
	return strcmp(e->name, ARCHIVE_KERNEL) != 0;
}

/* Is this file put into the archive?  The kernel's image is loaded by itself. */
static bool is_added(const struct archive_file *f)
{
	return strcmp(f->name, ARCHIVE_KERNEL) != 0;
}

uint64_t archive_build_bytes(const struct exo_archive *old, const struct archive_file *file,
			     uint32_t files)
{
	const struct exo_archive_entry *e = entries_of(old);
	uint64_t count = 0, bytes = 0;

	for (uint32_t i = 0; i < old->count; i++) {
		if (!is_kept(&e[i], file, files))
			continue;
		count++;
		bytes += round_up(e[i].bytes, PAGE);
	}
	for (uint32_t i = 0; i < files; i++) {
		if (!is_added(&file[i]))
			continue;
		count++;
		if (file[i].bytes > UINT64_MAX / 2 ||
		    !add_u64(bytes, round_up(file[i].bytes, PAGE), &bytes))
			return 0;
	}
	if (!add_u64(bytes, round_up(table_bytes(count), PAGE), &bytes))
		return 0;
	return bytes;
}

static void member_put(struct exo_archive *a, const char *name, const void *data, uint64_t bytes)
{
	struct exo_archive_entry *e = (struct exo_archive_entry *)entries_of(a) + a->count++;
	char *to = (char *)a + a->bytes;
	uint64_t whole = round_up(bytes, PAGE);

	memset(e, 0, sizeof(*e));
	string_copy(e->name, name, sizeof(e->name));
	e->offset = a->bytes;
	e->bytes = bytes;
	memcpy(to, data, bytes);
	memset(to + bytes, 0, whole - bytes);
	e->hash = hash_xxh64(to, bytes);
	a->bytes += whole;
}

void archive_build(struct exo_archive *out, const struct exo_archive *old,
		   const struct archive_file *file, uint32_t files)
{
	const struct exo_archive_entry *e = entries_of(old);
	uint64_t count = 0, head;

	for (uint32_t i = 0; i < old->count; i++)
		count += is_kept(&e[i], file, files);
	for (uint32_t i = 0; i < files; i++)
		count += is_added(&file[i]);
	head = round_up(table_bytes(count), PAGE);
	memset(out, 0, head);
	out->magic = EXO_ARCHIVE_MAGIC;
	out->bytes = head;
	for (uint32_t i = 0; i < old->count; i++)
		if (is_kept(&e[i], file, files))
			member_put(out, e[i].name, archive_data(old, &e[i]), e[i].bytes);
	for (uint32_t i = 0; i < files; i++)
		if (is_added(&file[i]))
			member_put(out, file[i].name, file[i].data, file[i].bytes);
	table_seal(out);
}
