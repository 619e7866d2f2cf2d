/* SPDX-License-Identifier: MIT */
/*
 * ext2_inode.c - from an inode number to a node, and its attributes.
 *
 * Invariant: a node that leaves here has a known type and a size its i_block could map; what
 * i_block points to is not checked (ext2_map.c).
 */
#include <base/string.h>
#include <base/util.h>

#include "ext2_internal.h"

struct strange {
	uint32_t flag;
	const char *name;
};
#define STRANGE(flag, name) { flag, name },
static const struct strange strange_flags[] = { EXT2_STRANGE_FLAGS(STRANGE) };

/* First block of the inode table of a group. */
static int inode_table(struct ext2 *e, uint32_t group, uint32_t *table)
{
	uint64_t at = (uint64_t)group * sizeof(struct ext2_group);
	const struct ext2_group *g;
	struct fs_buffer *b;
	int err = fs_cache_get(&e->fs->cache, e->first_data_block + 1 + at / e->block_bytes, &b);

	if (err < 0)
		return err;
	g = (const struct ext2_group *)((const char *)b->data + at % e->block_bytes);
	*table = g->bg_inode_table;
	fs_cache_put(&e->fs->cache, b);
	if (!ext2_block_good(e, *table) || e->table_blocks > e->blocks - *table)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "group %u: bg_inode_table %u", group,
				 *table);
	return 0;
}

/* Copy an inode off the disk; fields its size does not reach are 0. */
static int inode_read(struct ext2 *e, uint64_t ino, struct ext2_inode *out)
{
	uint32_t index, table;
	uint64_t at;
	struct fs_buffer *b;
	int err;

	if (ino == 0 || ino > e->inodes || (ino < e->first_ino && ino != EXT2_ROOT_INO))
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode number %lu out of range",
				 (unsigned long)ino);
	err = inode_table(e, (uint32_t)(ino - 1) / e->inodes_per_group, &table);
	if (err < 0)
		return err;
	index = (uint32_t)(ino - 1) % e->inodes_per_group;
	at = (uint64_t)index * e->inode_bytes;
	err = fs_cache_get(&e->fs->cache, table + at / e->block_bytes, &b);
	if (err < 0)
		return err;
	memset(out, 0, sizeof *out);
	memcpy(out, (const char *)b->data + at % e->block_bytes,
	       min_u64(sizeof *out, e->inode_bytes));
	fs_cache_put(&e->fs->cache, b);
	return 0;
}

static uint32_t inode_type(const struct ext2_inode *i)
{
	switch (i->i_mode & EXT2_S_IFMT) {
	case EXT2_S_IFIFO: return FS_FIFO;
	case EXT2_S_IFCHR: return FS_CHAR;
	case EXT2_S_IFDIR: return FS_DIR;
	case EXT2_S_IFBLK: return FS_BLOCK;
	case EXT2_S_IFREG: return FS_FILE;
	case EXT2_S_IFLNK: return FS_LINK;
	case EXT2_S_IFSOCK: return FS_SOCKET;
	default: return FS_NONE;
	}
}

/* Only regular files use i_size_high; in directories it once was an ACL. */
static uint64_t inode_size(const struct ext2_inode *i)
{
	uint64_t high = inode_type(i) == FS_FILE ? i->i_size_high : 0;

	return high << 32 | i->i_size;
}

/* A link without blocks of its own, but for an attribute block, has its target in i_block. */
static bool inode_fast_link(const struct ext2 *e, const struct ext2_inode *i)
{
	uint32_t attribute = i->i_file_acl ? e->block_bytes / 512 : 0;

	return i->i_blocks == attribute;
}

static int node_check_link(struct ext2 *e, const struct fs_node *node)
{
	uint64_t most = node->own[EXT2_OWN_FAST] ? EXT2_N_BLOCKS * 4 - 1
						 : min_u64(e->block_bytes, FS_PATH_MAX - 1);

	if (node->size == 0 || node->size > most)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: a link of %lu bytes",
				 (unsigned long)node->ino, (unsigned long)node->size);
	return 0;
}

/* No hole and no block twice: a directory is never larger than the file system. */
static int node_check_dir(struct ext2 *e, const struct fs_node *node)
{
	if (node->size % e->block_bytes || node->size / e->block_bytes > e->blocks)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: a directory of %lu bytes",
				 (unsigned long)node->ino, (unsigned long)node->size);
	return 0;
}

static int node_check(struct ext2 *e, const struct fs_node *node, const struct ext2_inode *i)
{
	unsigned long ino = (unsigned long)node->ino;

	if (i->i_links_count == 0)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu is named but deleted", ino);
	if (node->type == FS_NONE)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: i_mode 0%o", ino, i->i_mode);
	for (size_t n = 0; n < ARRAY_LEN(strange_flags); n++)
		if (i->i_flags & strange_flags[n].flag)
			return fs_refuse(e->fs, -FS_E_UNSUPPORTED, "inode %lu uses %s", ino,
					 strange_flags[n].name);
	if (node->size > e->max_file_bytes)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "inode %lu: i_size %lu", ino,
				 (unsigned long)node->size);
	if (node->type == FS_LINK)
		return node_check_link(e, node);
	if (node->type == FS_DIR)
		return node_check_dir(e, node);
	return 0;
}

static int node_make(struct ext2 *e, uint64_t ino, const struct ext2_inode *i,
		     struct fs_node *out)
{
	memset(out, 0, sizeof *out);
	out->fs = e->fs;
	out->ino = ino;
	out->type = inode_type(i);
	out->size = inode_size(i);
	memcpy(out->own, i->i_block, sizeof i->i_block);
	out->own[EXT2_OWN_FAST] = out->type == FS_LINK && inode_fast_link(e, i);
	return node_check(e, out, i);
}

int ext2_node(struct fs *fs, uint64_t ino, struct fs_node *out)
{
	struct ext2 *e = ext2_of(fs);
	struct ext2_inode i;
	int err = inode_read(e, ino, &i);

	return err < 0 ? err : node_make(e, ino, &i, out);
}

/* i_*time is signed; i_*time_extra has two more bits of seconds below 30 bits of nanoseconds. */
static struct fs_time attr_time(uint32_t time, uint32_t extra)
{
	struct fs_time t = { .seconds = (int32_t)time };

	t.seconds += (int64_t)(extra & 3) << 32;
	t.ns = (uint32_t)min_u64(extra >> 2, 999999999);
	return t;
}

static void attr_times(const struct ext2 *e, const struct ext2_inode *i, struct fs_attr *out)
{
	/* i_extra_isize counts from 128; 16 bytes reach to the end of i_atime_extra. */
	bool extra = i->i_extra_isize >= 16 &&
		     i->i_extra_isize <= e->inode_bytes - EXT2_OLD_INODE_BYTES;

	out->accessed = attr_time(i->i_atime, extra ? i->i_atime_extra : 0);
	out->modified = attr_time(i->i_mtime, extra ? i->i_mtime_extra : 0);
	out->changed = attr_time(i->i_ctime, extra ? i->i_ctime_extra : 0);
}

/* Device numbers: 8 + 8 bits in i_block[0], or else 12 + 20 bits in i_block[1]. */
static void attr_device(const struct ext2_inode *i, struct fs_attr *out)
{
	uint32_t old = i->i_block[0], wide = i->i_block[1];

	if (out->type != FS_CHAR && out->type != FS_BLOCK)
		return;
	out->major = old ? old >> 8 & 0xff : wide >> 8 & 0xfff;
	out->minor = old ? old & 0xff : (wide & 0xff) | (wide >> 12 & 0xfff00);
}

static uint64_t attr_allocated(const struct ext2 *e, const struct ext2_inode *i)
{
	uint64_t blocks = i->i_blocks;

	if (!(e->super.s_feature_ro_compat & EXT2_RO_COMPAT_HUGE_FILE))
		return blocks * 512;
	blocks |= (uint64_t)i->l_i_blocks_hi << 32;
	return blocks * (i->i_flags & EXT2_HUGE_FILE_FL ? e->block_bytes : 512);
}

int ext2_attr(struct fs *fs, const struct fs_node *node, struct fs_attr *out)
{
	struct ext2 *e = ext2_of(fs);
	struct ext2_inode i;
	int err = inode_read(e, node->ino, &i);

	if (err < 0)
		return err;
	memset(out, 0, sizeof *out);
	out->ino = node->ino;
	out->size = node->size;
	out->allocated = attr_allocated(e, &i);
	out->type = node->type;
	out->mode = i.i_mode & 07777;
	out->uid = i.i_uid | (uint32_t)i.l_i_uid_high << 16;
	out->gid = i.i_gid | (uint32_t)i.l_i_gid_high << 16;
	out->links = i.i_links_count;
	out->block_bytes = e->block_bytes;
	attr_times(e, &i, out);
	attr_device(&i, out);
	return 0;
}
