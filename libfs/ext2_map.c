/* SPDX-License-Identifier: MIT */
/*
 * ext2_map.c - which disk block holds which block of a file.
 *
 * Work is bounded by the format: at most three indirect blocks are read, whatever they point to, so
 * a pointer that leads back to its own block is wrong data but no loop.
 */
#include <base/util.h>

#include "ext2_internal.h"

static int map_damage(struct ext2 *e, const struct fs_node *node, uint32_t block)
{
	return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: block number %u out of range",
			 (unsigned long)node->ino, block);
}

/* Tell n block numbers, checked. */
static int map_tell(struct ext2 *e, const struct fs_node *node, uint64_t *out, uint32_t at,
		    uint32_t block)
{
	if (block && !ext2_block_good(e, block))
		return map_damage(e, node, block);
	out[at] = block;
	return 0;
}

/* Blocks [index, index + n) of those an indirect block of `level` 1 to 3 maps. */
static int map_indirect(struct ext2 *e, const struct fs_node *node, uint32_t block,
			uint32_t level, uint64_t index, uint32_t n, uint64_t *out)
{
	uint64_t span = 1;      /* file blocks behind one number of this level */

	for (uint32_t i = 1; i < level; i++)
		span *= e->per_block;
	for (;; span /= e->per_block) {
		uint64_t slot = index / span;
		const uint32_t *number;
		struct fs_buffer *b;
		int err = 0;

		if (block == 0) {
			n = (uint32_t)min_u64(n, span * e->per_block - index);
			for (uint32_t i = 0; i < n; i++)
				out[i] = 0;
			return (int)n;
		}
		if (!ext2_block_good(e, block))
			return map_damage(e, node, block);
		err = fs_cache_get(&e->fs->cache, block, &b);
		if (err < 0)
			return err;
		number = b->data;
		if (span > 1) {
			block = number[slot];
			index %= span;
		} else {
			n = (uint32_t)min_u64(n, e->per_block - slot);
			for (uint32_t i = 0; i < n && err == 0; i++)
				err = map_tell(e, node, out, i, number[slot + i]);
		}
		fs_cache_put(&e->fs->cache, b);
		if (span == 1)
			return err < 0 ? err : (int)n;
	}
}

static int map_direct(struct ext2 *e, const struct fs_node *node, uint32_t index, uint32_t n,
		      uint64_t *out)
{
	n = (uint32_t)min_u64(n, EXT2_NDIR_BLOCKS - index);
	for (uint32_t i = 0; i < n; i++) {
		int err = map_tell(e, node, out, i, ext2_pointer(node, index + i));

		if (err < 0)
			return err;
	}
	return (int)n;
}

int ext2_map(struct ext2 *e, const struct fs_node *node, uint64_t index, uint32_t n,
	     uint64_t *block)
{
	uint64_t mapped = e->per_block;

	if (index < EXT2_NDIR_BLOCKS)
		return map_direct(e, node, (uint32_t)index, n, block);
	index -= EXT2_NDIR_BLOCKS;
	for (uint32_t level = 1; level <= 3; level++) {
		uint32_t slot = EXT2_NDIR_BLOCKS + level - 1;

		if (index < mapped)
			return map_indirect(e, node, ext2_pointer(node, slot), level, index, n,
					    block);
		index -= mapped;
		mapped *= e->per_block;
	}
	return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: larger than can be mapped",
			 (unsigned long)node->ino);
}
