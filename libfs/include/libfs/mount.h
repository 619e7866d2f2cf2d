/* SPDX-License-Identifier: MIT */
/*
 * mount.h - the mount table: which file system serves which part of the name space.
 *
 * Invariant: mount paths are canonical ("/" or "/a/b"), no two are equal, and a path belongs to the
 * mount with the longest path that is a prefix of it.  A mount point need not exist as a directory
 * below.  There is no limit to the mounts: each brings its own memory.  The table belongs to one
 * program and is used by one thread at a time.
 */
#ifndef LIBFS_MOUNT_H
#define LIBFS_MOUNT_H

#include <libfs/fs.h>

#define FS_MOUNT_PATH 256u      /* bytes of a mount path, with the NUL */
#define FS_PATH_SLACK 8u        /* bytes behind a path that are touched and mean nothing */
#define FS_CACHE_BYTES (4u << 20)       /* default of fs_mount_options.cache_bytes */
#define FS_TABLE_SHARE 32u              /* default of table_bytes: this part of cache_bytes */

struct fs_mount {
	struct fs fs;
	struct fs_mount *next;
	uint32_t path_bytes;            /* length of path; 0 for "/" */
	char     path[FS_MOUNT_PATH];   /* without the last '/': "" for the root */
};

struct fs_mount_table {
	struct fs_mount *first;
	struct fs_mount *root;  /* the one at "/", or NULL */
	uint32_t below;         /* mounts that are not at "/" */
	char     canon[FS_PATH_MAX + FS_PATH_SLACK];    /* path.c: where a walk has come to */
	char     rest[FS_PATH_MAX + FS_PATH_SLACK];     /* path.c: what is still to be walked */
};

struct fs_mount_options {
	struct fs_device *device;
	struct fs_memory *memory;
	uint64_t cache_bytes;                   /* of blocks; 0: FS_CACHE_BYTES */
	uint64_t table_bytes;                   /* of names, and of nodes; 0: FS_TABLE_SHARE */
	const struct fs_evict_ops *evict;       /* NULL: the default */
	void *evict_context;                    /* for it: cache.evict_context */
	const struct fs_ops *const *types;      /* ended with NULL; NULL: fs_types_known */
};

/* All file systems of this library, ended with NULL. */
extern const struct fs_ops *const fs_types_known[];

void fs_mount_table_init(struct fs_mount_table *table);

/*
 * Mount a device at a canonical path, by the first type that knows it.  `mount` is the caller's
 * memory until fs_mount_remove.  0; -EXO_E_ARG for a path that is not canonical,
 * -FS_E_NAMETOOLONG, -FS_E_EXISTS, -FS_E_NOTFS, or the file system's refusal.  On failure
 * mount->fs.why says in words why, and nothing is kept.
 */
int fs_mount_add(struct fs_mount_table *table, struct fs_mount *mount, const char *path,
		 const struct fs_mount_options *options);

/* Unmount.  -FS_E_NOENT if nothing is mounted at exactly this path, -FS_E_OPEN if it is in use. */
int fs_mount_remove(struct fs_mount_table *table, const char *path);

/* The mount that serves a canonical path of `bytes` bytes, or NULL. */
struct fs_mount *fs_mount_find(struct fs_mount_table *table, const char *path, size_t bytes);

/* The mount at exactly this canonical path, or NULL. */
struct fs_mount *fs_mount_at(struct fs_mount_table *table, const char *path, size_t bytes);

#endif
