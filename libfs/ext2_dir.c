/* SPDX-License-Identifier: MIT */
/*
 * ext2_dir.c - directories: entry by entry, block by block.
 *
 * An index (dir_index) is passed over: its blocks look like empty entries to a linear reader.  Each
 * entry is checked against its block before it is used; a block without a sound chain of entries,
 * and a hole, are damage.
 */
#include <base/string.h>
#include <base/util.h>

#include "ext2_internal.h"

static int dir_damage(struct fs *fs, const struct fs_node *dir, uint64_t position,
		      const char *what)
{
	return fs_refuse(fs, -FS_E_CORRUPT, "directory inode %lu, byte %lu: %s",
			 (unsigned long)dir->ino, (unsigned long)position, what);
}

/* What is wrong with an entry that has `room` bytes to the end of its block; NULL: nothing. */
static const char *dirent_damage(const struct ext2 *e, const struct ext2_dirent *d, uint32_t room)
{
	if (room < EXT2_DIRENT_BYTES || d->rec_len < EXT2_DIRENT_BYTES || d->rec_len % 4)
		return "rec_len is impossible";
	if (d->rec_len > room)
		return "rec_len crosses the end of the block";
	if (d->inode == 0)
		return NULL;
	if (!e->has_filetype && d->file_type)
		return "name_len is over 255";
	if (d->name_len == 0 || d->name_len > d->rec_len - EXT2_DIRENT_BYTES)
		return "name_len does not fit its entry";
	if (d->inode > e->inodes)
		return "inode number out of range";
	if (memchr(d->name, '/', d->name_len) || memchr(d->name, 0, d->name_len))
		return "a name with '/' or NUL in it";
	return NULL;
}

/* file_type 0 to 7, as ext2 numbers them. */
static uint32_t dirent_type(const struct ext2 *e, const struct ext2_dirent *d)
{
	static const uint8_t type[] = {
		FS_NONE, FS_FILE, FS_DIR, FS_CHAR, FS_BLOCK, FS_FIFO, FS_SOCKET, FS_LINK,
	};

	return e->has_filetype && d->file_type < ARRAY_LEN(type) ? type[d->file_type] : FS_NONE;
}

/* Visit the entries of one block from *position on. */
static int dir_block(struct ext2 *e, const struct fs_node *dir, const char *data,
		     uint64_t *position, fs_visit *visit, void *context)
{
	uint32_t at = (uint32_t)(*position % e->block_bytes);
	uint64_t start = *position - at;

	while (at < e->block_bytes) {
		const struct ext2_dirent *d = (const struct ext2_dirent *)(data + at);
		const char *damage = dirent_damage(e, d, e->block_bytes - at);
		int stop = 0;

		if (damage)
			return dir_damage(e->fs, dir, start + at, damage);
		at += d->rec_len;
		*position = start + at;
		if (d->inode) {
			struct fs_entry entry = {
				.name = d->name, .name_bytes = d->name_len,
				.type = dirent_type(e, d), .ino = d->inode, .next = *position,
			};

			stop = visit(context, &entry);
		}
		if (stop)
			return stop;
	}
	return 0;
}

int ext2_entries(struct fs *fs, const struct fs_node *dir, uint64_t *position, fs_visit *visit,
		 void *context)
{
	struct ext2 *e = ext2_of(fs);

	if (*position % 4)
		return -EXO_E_ARG;
	while (*position < dir->size) {
		struct fs_buffer *b;
		uint64_t block;
		int err = ext2_map(e, dir, *position / e->block_bytes, 1, &block);

		if (err < 0)
			return err;
		if (block == 0)
			return dir_damage(fs, dir, *position, "a hole");
		err = fs_cache_get(&fs->cache, block, &b);
		if (err < 0)
			return err;
		err = dir_block(e, dir, b->data, position, visit, context);
		fs_cache_put(&fs->cache, b);
		if (err)
			return err;
	}
	return 0;
}

struct search {
	const char *name;
	size_t bytes;
	uint64_t ino;
};

static int dir_match(void *context, const struct fs_entry *entry)
{
	struct search *s = context;

	if (entry->name_bytes != s->bytes || memcmp(entry->name, s->name, s->bytes) != 0)
		return 0;
	s->ino = entry->ino;
	return 1;
}

int ext2_lookup(struct fs *fs, const struct fs_node *dir, const char *name, size_t bytes,
		struct fs_node *out)
{
	struct search s = { .name = name, .bytes = bytes };
	uint64_t position = 0;
	int got;

	if (dir->type != FS_DIR)
		return -FS_E_NOTDIR;
	got = ext2_entries(fs, dir, &position, dir_match, &s);
	if (got < 0)
		return got;
	return got == 0 ? -FS_E_NOENT : ext2_node(fs, s.ino, out);
}
