/* SPDX-License-Identifier: MIT */
/*
 * ext2.c - mounting, unmounting and describing an ext2: the table of its functions.
 */
#include <base/string.h>
#include <base/util.h>

#include "ext2_internal.h"

_Static_assert(sizeof(struct ext2) <= FS_PAGE_BYTES, "a mounted ext2 lies in one page");

/* Find the root directory, which shows that descriptors and inode tables are there. */
static int ext2_root(struct ext2 *e)
{
	int err = ext2_node(e->fs, EXT2_ROOT_INO, &e->fs->root);

	if (err < 0)
		return err;
	if (e->fs->root.type != FS_DIR)
		return fs_refuse(e->fs, -FS_E_CORRUPT, "the root is not a directory");
	return 0;
}

static int ext2_open(struct ext2 *e)
{
	struct fs *fs = e->fs;
	int err = fs_device_read(fs->device, fs->memory, EXT2_SUPER_OFFSET, &e->super,
				 sizeof e->super);

	if (err == -EXO_E_RANGE)        /* too small to hold a superblock */
		return -FS_E_NOTFS;
	if (err < 0)
		return err;
	err = ext2_super_check(e);
	if (err < 0)
		return err;
	err = fs_cache_init(&fs->cache, fs->device, fs->memory, e->block_bytes, fs->cache_bytes,
			    fs->evict);
	if (err < 0)
		return err;
	err = ext2_root(e);
	if (err < 0)
		fs_cache_end(&fs->cache);
	return err;
}

static int ext2_mount(struct fs *fs)
{
	struct ext2 *e;
	int err = fs->memory->ops->alloc(fs->memory, 1, &fs->own);

	if (err < 0)
		return err;
	e = ext2_of(fs);
	memset(e, 0, sizeof *e);
	e->fs = fs;
	err = ext2_open(e);
	if (err < 0) {
		fs->memory->ops->free(fs->memory, e, 1);
		fs->own = NULL;
	}
	return err;
}

static int ext2_unmount(struct fs *fs)
{
	int err = fs_cache_end(&fs->cache);

	if (err < 0)
		return err;
	fs->memory->ops->free(fs->memory, fs->own, 1);
	fs->own = NULL;
	return 0;
}

static void ext2_label(const struct ext2_super *s, char *out)
{
	size_t n;

	for (n = 0; n < sizeof s->s_volume_name && s->s_volume_name[n]; n++) {
		char c = s->s_volume_name[n];

		out[n] = c >= ' ' && c <= '~' ? c : '?';
	}
	out[n] = 0;
}

static int ext2_stat(struct fs *fs, struct fs_stat *out)
{
	const struct ext2 *e = ext2_of(fs);
	const struct ext2_super *s = &e->super;

	memset(out, 0, sizeof *out);
	out->type = fs->ops->name;
	out->block_bytes = e->block_bytes;
	out->blocks = e->blocks;
	out->inodes = e->inodes;
	out->free_blocks = min_u64(s->s_free_blocks_count, e->blocks);
	out->free_inodes = min_u64(s->s_free_inodes_count, e->inodes);
	out->unclean = !(s->s_state & EXT2_VALID_FS) || (s->s_state & EXT2_ERROR_FS);
	memcpy(out->uuid, s->s_uuid, sizeof out->uuid);
	ext2_label(s, out->label);
	return 0;
}

const struct fs_ops ext2_ops = {
	.name = "ext2",
	.mount = ext2_mount,
	.unmount = ext2_unmount,
	.lookup = ext2_lookup,
	.node = ext2_node,
	.entries = ext2_entries,
	.attr = ext2_attr,
	.readlink = ext2_readlink,
	.read = ext2_read,
	.lend = ext2_lend,
	.prefetch = ext2_prefetch,
	.stat = ext2_stat,
};
