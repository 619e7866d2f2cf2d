/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - how the parts of this library that name files get their nodes: by way of the caches.
 *
 * A node that is found lies in a cache.  It and the directory it was found in stay there until the
 * next lookup in the same file system; who needs it longer makes a copy.
 */
#ifndef LIBFS_LOOKUP_H
#define LIBFS_LOOKUP_H

#include <libfs/fs.h>

/* Make the caches of a file system that was mounted, of about `bytes` bytes each. */
void lookup_init(struct fs *fs, uint64_t bytes);

/* Give back their memory. */
void lookup_end(struct fs *fs);

/* Drop all names and nodes. */
void lookup_forget(struct fs *fs);

/*
 * Before a walk or a lookup begins: drop them if blocks were forgotten since they were read.  Not
 * in the middle, when a node of the caches is held.
 */
static inline void lookup_refresh(struct fs *fs)
{
	if (fs->epoch != fs->cache.epoch)
		lookup_forget(fs);
}

/* The node of a name in a directory: 0 and *out, or as the file system's lookup. */
int lookup_name(const struct fs_node *dir, const char *name, size_t bytes,
		const struct fs_node **out);

/* The same, of a name that was taken apart (but for fs_name_key_end) when it was found. */
int lookup_key(const struct fs_node *dir, struct fs_name_key *key, const char *name, size_t bytes,
	       const struct fs_node **out);

/* The node of an inode number: 0 and *out, or as the file system's node. */
int lookup_ino(struct fs *fs, uint64_t ino, const struct fs_node **out);

#endif
