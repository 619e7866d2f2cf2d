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
	uint64_t set;           /* which, before it is cut to the number of sets */
	uint32_t tag;
	uint32_t words;         /* 1 to FS_NAMES_WORDS; 0: the name is too long to be kept, or empty */
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

/* Take a name of `bytes` bytes in the directory `dir` apart. */
void fs_name_key(struct fs_name_key *key, uint64_t dir, const char *name, size_t bytes);

/* Is the name known?  Then *ino is its inode number, or FS_INO_NONE. */
bool fs_names_find(struct fs_names *names, const struct fs_name_key *key, uint64_t *ino);

/* Keep a name that fs_names_find did not know. */
void fs_names_keep(struct fs_names *names, const struct fs_name_key *key, uint64_t ino);

#endif
