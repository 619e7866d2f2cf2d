/* SPDX-License-Identifier: MIT */
/*
 * names.h - which name in which directory is which inode: found without reading the directory.
 *
 * A name is kept in one of the FS_NAMES_WAYS places of the set that its hash chooses, so a lookup
 * looks at those and no more, whatever names an image has: names made to fall into one set push
 * each other out, and are searched for in their directory again.  That a name is not there is kept
 * too.  Names of more than FS_NAMES_BYTES bytes are not kept.
 */
#ifndef LIBFS_NAMES_H
#define LIBFS_NAMES_H

#include <libfs/device.h>

#define FS_NAMES_WORDS 5u
#define FS_NAMES_BYTES (8 * FS_NAMES_WORDS)     /* longest name that is kept */
#define FS_NAMES_WAYS 4u
#define FS_NAMES_MIX 0x9e3779b97f4a7c15ul       /* 2^64 / golden ratio: odd, its bits well mixed */
#define FS_INO_NONE 0ul         /* no inode has this number: the name is not there */

struct fs_name {
	uint64_t dir;           /* inode number */
	uint64_t ino;           /* of the name, or FS_INO_NONE */
	uint32_t tag;           /* hash and length; 0: the place is empty */
	uint32_t used;          /* looked up since it was last passed over */
	uint64_t word[FS_NAMES_WORDS];  /* the name; behind it zeros to the end of the word */
};
_Static_assert(sizeof(struct fs_name) == 64, "a set is four cache lines");

struct fs_names {
	struct fs_name *name;           /* [sets][FS_NAMES_WAYS] */
	uint64_t sets;                  /* a power of two */
	size_t   pages;                 /* of `name`; 0: it is `least` */
	uint64_t hits, misses;          /* of fs_names_find */
	struct fs_name least[FS_NAMES_WAYS];
};

/* A name to be looked up or kept, taken apart once. */
struct fs_name_key {
	uint64_t dir;
	uint64_t hash;
	uint32_t tag;
	uint32_t words;         /* 1 to FS_NAMES_WORDS; any other: the name cannot be kept */
	uint64_t word[FS_NAMES_WORDS];
};

/*
 * Make an empty table of about `bytes` bytes, rounded down to a power of two of pages; a smaller
 * one when memory is short, down to one set that needs no memory: that is slower, not wrong.
 */
void fs_names_init(struct fs_names *names, struct fs_memory *memory, uint64_t bytes);

/* Give its memory back. */
void fs_names_end(struct fs_names *names, struct fs_memory *memory);

/* Forget all names. */
void fs_names_clear(struct fs_names *names);

/*
 * Take a name apart: _start, _word for each 8 bytes of it (behind it the last word is 0), _end with
 * its length and the directory it is looked for in.  fs_name_key does all but the last.
 */
static inline void fs_name_key_start(struct fs_name_key *key)
{
	key->hash = 0;
	key->words = 0;
}

static inline void fs_name_key_word(struct fs_name_key *key, uint64_t word)
{
	if (key->words < FS_NAMES_WORDS) {
		key->word[key->words] = word;
		key->hash = (key->hash ^ word) * FS_NAMES_MIX;
		key->hash ^= key->hash >> 29;
	}
	key->words++;
}

static inline void fs_name_key_end(struct fs_name_key *key, uint64_t dir, size_t bytes)
{
	key->dir = dir;
	key->hash = (key->hash ^ dir) * FS_NAMES_MIX;
	key->tag = (uint32_t)(key->hash >> 32) << 8 | (uint8_t)bytes;
}

void fs_name_key(struct fs_name_key *key, const char *name, size_t bytes);

/* Has the name a length that is kept? */
static inline bool fs_name_key_good(const struct fs_name_key *key)
{
	return key->words - 1 < FS_NAMES_WORDS;
}

/* The FS_NAMES_WAYS places where a name can be. */
static inline struct fs_name *fs_names_set(const struct fs_names *names,
					   const struct fs_name_key *key)
{
	return &names->name[(key->hash >> 20 & (names->sets - 1)) * FS_NAMES_WAYS];
}

static inline bool fs_name_is(const struct fs_name *name, const struct fs_name_key *key)
{
	if (name->tag != key->tag || name->dir != key->dir)
		return false;
	for (uint32_t i = 0; i < key->words; i++)
		if (name->word[i] != key->word[i])
			return false;
	return true;
}

/* Where the name is kept, or NULL if it is not known; its ino may be FS_INO_NONE. */
static inline const struct fs_name *fs_names_find(struct fs_names *names,
						  const struct fs_name_key *key)
{
	struct fs_name *set = fs_names_set(names, key);

	for (uint32_t i = 0; fs_name_key_good(key) && i < FS_NAMES_WAYS; i++) {
		if (!fs_name_is(&set[i], key))
			continue;
		set[i].used = 1;
		names->hits++;
		return &set[i];
	}
	names->misses++;
	return NULL;
}

/* Keep a name that fs_names_find did not know. */
void fs_names_keep(struct fs_names *names, const struct fs_name_key *key, uint64_t ino);

#endif
