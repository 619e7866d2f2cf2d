/* SPDX-License-Identifier: MIT */
/*
 * path_internal.h - between the walk of a path (path.c) and those who open what it leads to.
 */
#ifndef LIBFS_PATH_INTERNAL_H
#define LIBFS_PATH_INTERNAL_H

#include <libfs/path.h>

/* As fs_path_find; the node lies in a cache until the next lookup in its file system. */
int path_walk(struct fs_mount_table *table, const char *path, bool follow,
	      const struct fs_node **out);

#endif
