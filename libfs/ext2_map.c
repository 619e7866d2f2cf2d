/* SPDX-License-Identifier: MIT */
/*
 * ext2_map.c - which disk block holds which block of a file.
 *
 * What is found is told as a run of blocks that lie one behind the other, so that most blocks of
 * most files are found without looking at the disk's tables again.  Work is bounded by the format:
 * at most three indirect blocks are read, whatever they point to, so a pointer that leads back to
 * its own block is wrong data but no loop; and by RUN_MOST numbers looked at.
 */
#include <base/util.h>

#include "ext2_internal.h"

#define RUN_FIRST 16u   /* blocks that a new run may have: who reads here and there needs few */
#define RUN_MOST 128u   /* and one that goes on from the last, each twice as many */

static int map_damage(struct ext2 *e, const struct fs_node *node, uint32_t block)
{
	return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: block number %u out of range",
			 (unsigned long)node->ino, block);
}

/*
 * Make a run of the first of n > 0 block numbers and those that follow it on the disk as in the
 * file (or are holes like it).  What is behind them is looked at when it is wanted.
 */
static int run_make(struct ext2 *e, const struct fs_node *node, const uint32_t *number, uint32_t n,
		    struct fs_run *run)
{
	uint32_t block = number[0], step = block != 0, next = block, count = 1;

	if (block && !ext2_block_good(e, block))
		return map_damage(e, node, block);
	if (block)
		n = (uint32_t)min_u64(n, e->blocks - block);
	while (count < n && number[count] == (next += step))
		count++;
	run->block = block;
	run->count = count;
	return 0;
}

/* The run at `index` of the blocks that an indirect block of `level` 1 to 3 maps. */
static int map_indirect(struct ext2 *e, const struct fs_node *node, uint32_t block,
			uint32_t level, uint64_t index, uint32_t most, struct fs_run *run)
{
	uint64_t span = 1;      /* file blocks behind one number of this level */

	for (uint32_t i = 1; i < level; i++)
		span *= e->per_block;
	for (;; span /= e->per_block) {
		uint64_t slot = index / span;
		const uint32_t *number;
		struct fs_buffer *b;
		int err;

		if (block == 0) {
			run->block = 0;
			run->count = (uint32_t)min_u64(UINT32_MAX, span * e->per_block - index);
			return 0;
		}
		if (!ext2_block_good(e, block))
			return map_damage(e, node, block);
		err = fs_cache_get(&e->fs->cache, block, &b);
		if (err < 0)
			return err;
		number = b->data;
		block = number[slot];
		index %= span;
		if (span == 1)
			err = run_make(e, node, number + slot,
				       (uint32_t)min_u64(most, e->per_block - slot), run);
		fs_cache_put(&e->fs->cache, b);
		if (span == 1)
			return err;
	}
}

static int map_direct(struct ext2 *e, const struct fs_node *node, uint32_t index, uint32_t most,
		      struct fs_run *run)
{
	uint32_t number[EXT2_NDIR_BLOCKS];

	for (uint32_t i = 0; i < EXT2_NDIR_BLOCKS; i++)
		number[i] = ext2_pointer(node, i);
	return run_make(e, node, number + index,
			(uint32_t)min_u64(EXT2_NDIR_BLOCKS - index, most), run);
}

/* The run at `index`, of at most `most` blocks unless it is a hole. */
static int map_run(struct ext2 *e, const struct fs_node *node, uint64_t index, uint32_t most,
		   struct fs_run *run)
{
	uint64_t mapped = e->per_block;

	if (index < EXT2_NDIR_BLOCKS)
		return map_direct(e, node, (uint32_t)index, most, run);
	index -= EXT2_NDIR_BLOCKS;
	for (uint32_t level = 1; level <= 3; level++) {
		uint32_t slot = EXT2_NDIR_BLOCKS + level - 1;

		if (index < mapped)
			return map_indirect(e, node, ext2_pointer(node, slot), level, index, most,
					    run);
		index -= mapped;
		mapped *= e->per_block;
	}
	return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: larger than can be mapped",
			 (unsigned long)node->ino);
}

int ext2_run_read(struct ext2 *e, const struct fs_node *node, struct fs_run *run, uint64_t index)
{
	struct fs_run next = { .first = index, .epoch = e->fs->cache.epoch };
	uint32_t most = RUN_FIRST;
	int err;

	if (run->count && index == run->first + run->count)
		most = (uint32_t)min_u64(2ul * run->count, RUN_MOST);
	err = map_run(e, node, index, (uint32_t)max_u64(most, RUN_FIRST), &next);
	if (err == 0)
		*run = next;
	return err;
}

int ext2_map(struct ext2 *e, const struct fs_node *node, struct fs_run *run, uint64_t index,
	     uint32_t n, uint64_t *block)
{
	uint32_t told = 0;

	while (told < n) {
		uint64_t at;
		uint32_t end;
		int err = ext2_run_at(e, node, run, index + told, &at);

		/* What comes before damage can still be read. */
		if (err < 0)
			return told ? (int)told : err;
		end = (uint32_t)min_u64(n, run->first + run->count - index);
		while (told < end) {
			block[told++] = at;
			at += at != 0;
		}
	}
	return (int)told;
}
