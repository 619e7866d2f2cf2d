/* SPDX-License-Identifier: MIT */
/*
 * path.h - from a path to a node, across mounts and symbolic links.
 *
 * Paths are bytes; '/' separates names, several count as one.  A path without a leading '/' is
 * taken from the root too: a current directory is the program's affair.  ".." of a mounted root
 * leads out of the mount, that of "/" stays.  An absolute link starts at the table's root.  Work is
 * bounded by FS_PATH_MAX and FS_LINK_MAX.
 */
#ifndef LIBFS_PATH_H
#define LIBFS_PATH_H

#include <libfs/mount.h>

#define FS_LINK_MAX 40u         /* symbolic links followed in one walk, as on Linux */

/*
 * Find the node of a path.  follow: a symbolic link as the last name is followed.
 * 0 and *out; -FS_E_NOENT, -FS_E_NOTDIR (a name on the way is none, or the path ends in '/' and is
 * none), -FS_E_LOOP, -FS_E_NAMETOOLONG, -EXO_E_ARG for an empty path, or the file system's error.
 * Afterwards table->canon is the path without links, "." and "..".
 */
int fs_path_find(struct fs_mount_table *table, const char *path, bool follow,
		 struct fs_node *out);

/* Attributes of a path, and of the link itself. Errors as fs_path_find. */
int fs_path_attr(struct fs_mount_table *table, const char *path, struct fs_attr *out);
int fs_path_link_attr(struct fs_mount_table *table, const char *path, struct fs_attr *out);

/*
 * Target of a symbolic link, with a NUL: its length; -EXO_E_ROOM if it does not fit `bytes`,
 * -FS_E_NOTLINK, or as fs_path_find.
 */
int64_t fs_path_readlink(struct fs_mount_table *table, const char *path, char *out, size_t bytes);

/* About the file system that serves a path. */
int fs_path_stat(struct fs_mount_table *table, const char *path, struct fs_stat *out);

/*
 * The words behind an -FS_E_CORRUPT or -FS_E_UNSUPPORTED that a function of this header just
 * returned: those of the file system where the walk ended; "" if it has none.
 */
const char *fs_path_why(struct fs_mount_table *table);

#endif
