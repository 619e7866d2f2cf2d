/* SPDX-License-Identifier: MIT */
/*
 * ext2_internal.h - a mounted ext2: what the superblock said, checked.
 *
 * Invariant: the figures here agree with each other and with the device; nothing else that is read
 * from the disk has been checked.
 */
#ifndef LIBFS_EXT2_INTERNAL_H
#define LIBFS_EXT2_INTERNAL_H

#include <libfs/ext2.h>

#include "ext2_format.h"

struct ext2 {
	struct fs *fs;
	uint32_t block_bytes;
	uint32_t block_log;             /* its logarithm */
	uint32_t per_block;             /* block numbers in an indirect block */
	uint32_t blocks;                /* of the file system: [0, blocks) */
	uint32_t first_data_block;      /* the superblock's; data lies behind it */
	uint32_t inodes;                /* inode numbers are [1, inodes] */
	uint32_t inodes_per_group;
	uint32_t inode_bytes;
	uint32_t table_blocks;          /* of one group's inode table */
	uint32_t first_ino;             /* below: reserved, but for the root */
	uint32_t has_filetype;          /* directory entries tell types */
	uint64_t max_file_bytes;        /* what i_block can map */
	struct ext2_super super;        /* as read */
};

/* fs_node.own: i_block in the first 60 bytes, then: */
#define EXT2_OWN_FAST 8         /* own[8] is 1 for a symbolic link whose target lies in i_block */

static inline struct ext2 *ext2_of(struct fs *fs)
{
	return fs->own;
}

/* i_block[index] of a node. */
static inline uint32_t ext2_pointer(const struct fs_node *node, uint32_t index)
{
	return (uint32_t)(node->own[index / 2] >> (index % 2 * 32));
}

/* May file data, a directory or an indirect block lie there? */
static inline bool ext2_block_good(const struct ext2 *e, uint32_t block)
{
	return block > e->first_data_block && block < e->blocks;
}

/* ext2_super.c: check the superblock in e->super and fill in the rest.  0 or a refusal. */
int ext2_super_check(struct ext2 *e);

/* ext2_inode.c */
int ext2_node(struct fs *fs, uint64_t ino, struct fs_node *out);
int ext2_attr(struct fs *fs, const struct fs_node *node, struct fs_attr *out);

/* ext2_map.c: make `run` begin at block `index` of a file.  0, or an error and it is as it was. */
int ext2_run_read(struct ext2 *e, const struct fs_node *node, struct fs_run *run, uint64_t index);

/* The disk block of block `index` of a file, 0 for a hole; `run` then covers it.  0 or an error. */
static inline int ext2_run_at(struct ext2 *e, const struct fs_node *node, struct fs_run *run,
			      uint64_t index, uint64_t *block)
{
	int err = 0;

	if (index - run->first >= run->count || run->epoch != e->fs->cache.epoch)
		err = ext2_run_read(e, node, run, index);
	*block = run->block ? run->block + (index - run->first) : 0;
	return err;
}

/*
 * ext2_map.c: the disk blocks of file blocks [index, index + n), 0 for a hole.  How many of them
 * were told (1 to n), or an error.
 */
int ext2_map(struct ext2 *e, const struct fs_node *node, struct fs_run *run, uint64_t index,
	     uint32_t n, uint64_t *block);

/* ext2_dir.c */
int ext2_entries(struct fs *fs, const struct fs_node *dir, uint64_t *position, fs_visit *visit,
		 void *context);
int ext2_lookup(struct fs *fs, const struct fs_node *dir, const char *name, size_t bytes,
		struct fs_node *out);

/* ext2_file.c */
int64_t ext2_read(struct fs *fs, const struct fs_node *node, struct fs_run *run,
		  uint64_t offset, void *out, size_t bytes);
int ext2_lend(struct fs *fs, const struct fs_node *node, struct fs_run *run, uint64_t offset,
	      struct fs_piece *out);
size_t ext2_prefetch(struct fs *fs, const struct fs_node *node, struct fs_run *run,
		     uint64_t offset, size_t bytes);
int64_t ext2_readlink(struct fs *fs, const struct fs_node *node, char *out, size_t bytes);

#endif
