/* SPDX-License-Identifier: MIT */
/*
 * file.h - open files: a node, a position, and read-ahead when reading goes on in order.
 */
#ifndef LIBFS_FILE_H
#define LIBFS_FILE_H

#include <libfs/path.h>

#define FS_AHEAD_BYTES (128u * 1024u)   /* read ahead of a sequential reader, at most */

struct fs_file {
	struct fs_node node;    /* fs NULL: closed */
	struct fs_run run;      /* of its blocks: what was read last, */
	struct fs_run far;      /* and what was asked for ahead of time */
	uint64_t position;      /* of the next fs_file_read */
	uint64_t expected;      /* where a sequential reader reads next */
	uint64_t ahead;         /* prefetched up to here */
	uint64_t calm;          /* cache.stats.reads when nothing had to be prefetched */
};

/* Open a regular file.  As fs_path_find; -FS_E_ISDIR; -FS_E_NOTFILE for devices, fifos, sockets. */
int fs_file_open(struct fs_mount_table *table, const char *path, struct fs_file *out);

/* Open a regular file by its node, as found by fs_path_find or a walk. */
int fs_file_open_node(const struct fs_node *node, struct fs_file *out);

/* Close.  The file system cannot be unmounted before. */
void fs_file_close(struct fs_file *file);

/* Read from the position on, moving it: bytes read, 0 at the end, or an error (nothing moved). */
int64_t fs_file_read(struct fs_file *file, void *out, size_t bytes);

/* Read at an offset; the position stays. */
int64_t fs_file_read_at(struct fs_file *file, uint64_t offset, void *out, size_t bytes);

/*
 * Lend the piece of a file at an offset without copying, at most to the end of its block.  1, or 0
 * at the end.  Give it back with fs_file_return before the file is closed.
 */
int fs_file_lend(struct fs_file *file, uint64_t offset, struct fs_piece *out);
void fs_file_return(struct fs_file *file, struct fs_piece *piece);

#endif
