/* SPDX-License-Identifier: MIT */
/*
 * names.c - the name cache.
 *
 * Invariant: a name is in at most one place, and that is in the set of its hash.  Which inode a
 * name has is asked of the file system by lookup.c, not here.
 */
#include <base/string.h>
#include <libfs/names.h>

#include "table.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;

void fs_names_init(struct fs_names *names, struct fs_memory *memory, uint64_t bytes)
{
	struct table t = table_make(memory, bytes, names->least, sizeof names->least);

	names->name = t.data;
	names->sets = t.sets;
	names->pages = t.pages;
}

void fs_names_end(struct fs_names *names, struct fs_memory *memory)
{
	if (names->pages)
		memory->ops->free(memory, names->name, names->pages);
	names->name = NULL;
	names->pages = 0;
}

void fs_names_clear(struct fs_names *names)
{
	memset(names->name, 0, names->sets * sizeof names->least);
}

/* The last 1 to 7 bytes of a name as a word; nothing behind them is read. */
static inline uint64_t key_tail(const char *s, size_t bytes)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t mid = bytes / 2, end = bytes - 1;

	if (bytes >= 4)
		return *(const half *)s |
		       (uint64_t)*(const half *)(s + bytes - 4) << 8 * (bytes - 4);
	return p[0] | (uint64_t)p[mid] << 8 * mid | (uint64_t)p[end] << 8 * end;
}

void fs_name_key(struct fs_name_key *key, const char *name, size_t bytes)
{
	size_t at = 0, left = bytes <= FS_NAMES_BYTES ? bytes : 0;

	fs_name_key_start(key);
	for (; left >= 8; at += 8, left -= 8)
		fs_name_key_word(key, *(const word *)(name + at));
	if (left)
		fs_name_key_word(key, key_tail(name + at, left));
}

/* An empty place, else one not used since it was passed over, else all are, and any will do. */
static struct fs_name *names_choose(struct fs_name *set, uint64_t any)
{
	struct fs_name *unused = NULL;

	for (uint32_t i = 0; i < FS_NAMES_WAYS; i++) {
		if (!set[i].tag)
			return &set[i];
		if (!set[i].used)
			unused = &set[i];
	}
	if (unused)
		return unused;
	for (uint32_t i = 0; i < FS_NAMES_WAYS; i++)
		set[i].used = 0;
	return &set[any % FS_NAMES_WAYS];
}

void fs_names_keep(struct fs_names *names, const struct fs_name_key *key, uint64_t ino)
{
	struct fs_name *name;

	if (!fs_name_key_good(key))
		return;
	name = names_choose(fs_names_set(names, key), key->hash >> 16);
	name->dir = key->dir;
	name->ino = ino;
	name->tag = key->tag;
	name->used = 0;
	memcpy(name->word, key->word, key->words * sizeof key->word[0]);
}
