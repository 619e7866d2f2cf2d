/* SPDX-License-Identifier: MIT */
/*
 * ext2_super.c - is the superblock one we can read, and does it make sense on this device?
 *
 * Order matters: each check may rely on those before it, and no figure is divided by or multiplied
 * with before it is bounded.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>

#include "ext2_internal.h"

#define INCOMPAT_KNOWN EXT2_INCOMPAT_FILETYPE

struct feature {
	uint32_t bit;
	const char *name;
};
#define FEATURE(bit, name) { bit, name },
static const struct feature incompats[] = { EXT2_INCOMPATS(FEATURE) };

/* Name the bits of `unknown`, as "extent 64bit 0x80000". */
static void feature_names(char *out, size_t bytes, uint32_t unknown)
{
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(incompats) && used < bytes; i++) {
		if (!(unknown & incompats[i].bit))
			continue;
		unknown &= ~incompats[i].bit;
		used += (size_t)format_buffer(out + used, bytes - used, "%s%s", used ? " " : "",
					      incompats[i].name);
	}
	if (unknown && used < bytes)
		format_buffer(out + used, bytes - used, "%s0x%x", used ? " " : "", unknown);
}

static int super_features(struct ext2 *e)
{
	uint32_t unknown = e->super.s_feature_incompat & ~INCOMPAT_KNOWN;
	char names[72];

	if (e->super.s_rev_level > 1)
		return fs_refuse(e->fs, -FS_E_UNSUPPORTED, "revision %u is not known",
				 e->super.s_rev_level);
	if (e->super.s_rev_level == 0)
		return 0;
	if (unknown) {
		feature_names(names, sizeof names, unknown);
		return fs_refuse(e->fs, -FS_E_UNSUPPORTED,
				 "it needs features not known here: %s; %s", names,
				 unknown == EXT2_INCOMPAT_RECOVER ?
				 "e2fsck replays its journal" : "mke2fs -t ext2 makes one without");
	}
	e->has_filetype = e->super.s_feature_incompat & EXT2_INCOMPAT_FILETYPE;
	return 0;
}

static int super_block_size(struct ext2 *e)
{
	uint32_t log = e->super.s_log_block_size;

	if (log > 2)
		return fs_refuse(e->fs, log > 6 ? -FS_E_CORRUPT : -FS_E_UNSUPPORTED,
				 "blocks of 2^%u bytes: 1, 2 and 4 KiB are known here",
				 (unsigned)min_u64(log, UINT32_MAX - 10) + 10);
	e->block_bytes = 1024u << log;
	e->block_log = 10 + log;
	e->per_block = e->block_bytes / 4;
	if (e->fs->device->block_bytes > e->block_bytes)
		return fs_refuse(e->fs, -FS_E_UNSUPPORTED,
				 "its blocks of %u bytes are smaller than the device's of %u",
				 e->block_bytes, e->fs->device->block_bytes);
	e->first_data_block = e->super.s_first_data_block;
	if (e->first_data_block != (e->block_bytes == 1024))
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_first_data_block %u with blocks of %u",
				 e->first_data_block, e->block_bytes);
	return 0;
}

static int super_blocks(struct ext2 *e)
{
	uint64_t room = fs_device_bytes(e->fs->device) / e->block_bytes;

	e->blocks = e->super.s_blocks_count;
	if (e->blocks > room)
		return fs_refuse(e->fs, -FS_E_CORRUPT,
				 "it has %u blocks of %u bytes, the device only %lu: cut short?",
				 e->blocks, e->block_bytes, (unsigned long)room);
	if (e->blocks < e->first_data_block + 2)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_blocks_count %u", e->blocks);
	return 0;
}

static int super_inode_size(struct ext2 *e)
{
	bool old = e->super.s_rev_level == 0;
	uint32_t bytes = old ? EXT2_OLD_INODE_BYTES : e->super.s_inode_size;

	if (bytes < EXT2_OLD_INODE_BYTES || bytes > e->block_bytes || (bytes & (bytes - 1)))
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_inode_size %u", bytes);
	e->inode_bytes = bytes;
	e->first_ino = old ? EXT2_OLD_FIRST_INO : e->super.s_first_ino;
	if (e->first_ino < EXT2_OLD_FIRST_INO)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_first_ino %u", e->first_ino);
	return 0;
}

/*
 * Groups and their inode tables.  The descriptors need no check: 32 bytes for each group of at
 * least one block always fit behind the superblock.
 */
static int super_groups(struct ext2 *e)
{
	const struct ext2_super *s = &e->super;
	uint32_t most = e->block_bytes * 8;     /* one bitmap block a group */
	uint64_t groups;

	if (s->s_blocks_per_group == 0 || s->s_blocks_per_group > most)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_blocks_per_group %u",
				 s->s_blocks_per_group);
	if (s->s_inodes_per_group == 0 || s->s_inodes_per_group > most)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_inodes_per_group %u",
				 s->s_inodes_per_group);
	groups = ((uint64_t)e->blocks - e->first_data_block + s->s_blocks_per_group - 1) /
		 s->s_blocks_per_group;
	e->inodes = s->s_inodes_count;
	e->inodes_per_group = s->s_inodes_per_group;
	if (e->inodes < EXT2_ROOT_INO || e->inodes > groups * e->inodes_per_group)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "s_inodes_count %u: %lu groups of %u",
				 e->inodes, (unsigned long)groups, e->inodes_per_group);
	e->table_blocks = (uint32_t)(((uint64_t)e->inodes_per_group * e->inode_bytes +
				      e->block_bytes - 1) / e->block_bytes);
	return 0;
}

/* i_block maps 12 blocks directly, then n, n^2 and n^3, n being the numbers in a block. */
static uint64_t super_max_file(const struct ext2 *e)
{
	uint64_t n = e->per_block;

	return (EXT2_NDIR_BLOCKS + n + n * n + n * n * n) * e->block_bytes;
}

int ext2_super_check(struct ext2 *e)
{
	int (*const check[])(struct ext2 *) = {
		super_features, super_block_size, super_blocks, super_inode_size, super_groups,
	};

	if (e->super.s_magic != EXT2_SUPER_MAGIC)
		return -FS_E_NOTFS;
	for (size_t i = 0; i < ARRAY_LEN(check); i++) {
		int err = check[i](e);

		if (err < 0)
			return err;
	}
	e->max_file_bytes = super_max_file(e);
	return 0;
}
