/* SPDX-License-Identifier: MIT */
/*
 * ext2.h - the second extended file system, read-only.
 *
 * Everything that `mke2fs -t ext2` makes: revisions 0 and 1, blocks of 1, 2 and 4 KiB, any inode
 * size, holes, triple indirect blocks, files beyond 4 GiB, both kinds of symbolic link, indexed
 * directories (read linearly).  An ext3 that was unmounted cleanly is read as ext2.  Incompatible
 * features it does not know are refused by name.  Format: Linux Documentation/filesystems/ext4,
 * and e2fsprogs' ext2_fs.h for the names of fields.
 */
#ifndef LIBFS_EXT2_H
#define LIBFS_EXT2_H

#include <libfs/fs.h>

extern const struct fs_ops ext2_ops;

#endif
