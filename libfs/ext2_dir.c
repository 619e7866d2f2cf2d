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
static inline const char *dirent_damage(const struct ext2 *e, const struct ext2_dirent *d,
					uint32_t room)
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
	return NULL;
}

/* May this name be shown?  A search need not ask: it never looks for such a name. */
static bool dirent_name_good(const struct ext2_dirent *d)
{
	return !memchr(d->name, '/', d->name_len) && !memchr(d->name, 0, d->name_len);
}

/* file_type 0 to 7, as ext2 numbers them. */
static uint32_t dirent_type(const struct ext2 *e, const struct ext2_dirent *d)
{
	static const uint8_t type[] = {
		FS_NONE, FS_FILE, FS_DIR, FS_CHAR, FS_BLOCK, FS_FIFO, FS_SOCKET, FS_LINK,
	};

	return e->has_filetype && d->file_type < ARRAY_LEN(type) ? type[d->file_type] : FS_NONE;
}

/*
 * A stretch of a directory: from a position to the end of its block, lent.  1, 0 at the end of the
 * directory, or an error.
 */
struct stretch {
	struct fs_buffer *buffer;
	uint32_t at;            /* in the block */
	uint64_t start;         /* of the block in the directory */
};

static int stretch_get(struct ext2 *e, const struct fs_node *dir, struct fs_run *run,
		       uint64_t position, struct stretch *s)
{
	uint64_t block;
	int err;

	if (position >= dir->size)
		return 0;
	s->at = (uint32_t)(position % e->block_bytes);
	s->start = position - s->at;
	err = ext2_run_at(e, dir, run, position / e->block_bytes, &block);
	if (err < 0)
		return err;
	if (block == 0)
		return dir_damage(e->fs, dir, position, "a hole");
	err = fs_cache_get(&e->fs->cache, block, &s->buffer);
	return err < 0 ? err : 1;
}

/* The next entry of a stretch, checked, in use or not: 1, 0 at its end, or an error. */
static inline int stretch_next(struct ext2 *e, const struct fs_node *dir, struct stretch *s,
			       const struct ext2_dirent **out)
{
	const char *data = s->buffer->data, *damage;

	if (s->at >= e->block_bytes)
		return 0;
	*out = (const struct ext2_dirent *)(data + s->at);
	damage = dirent_damage(e, *out, e->block_bytes - s->at);
	if (damage)
		return dir_damage(e->fs, dir, s->start + s->at, damage);
	s->at += (*out)->rec_len;
	return 1;
}

/* Visit the entries of a stretch, moving the position. */
static int stretch_visit(struct ext2 *e, const struct fs_node *dir, struct stretch *s,
			 uint64_t *position, fs_visit *visit, void *context)
{
	const struct ext2_dirent *d;
	int got;

	while ((got = stretch_next(e, dir, s, &d)) == 1) {
		struct fs_entry entry = {
			.name = d->name, .name_bytes = d->name_len, .type = dirent_type(e, d),
			.ino = d->inode, .next = s->start + s->at,
		};

		if (d->inode && !dirent_name_good(d))
			return dir_damage(e->fs, dir, *position, "a name with '/' or NUL in it");
		*position = entry.next;
		got = d->inode ? visit(context, &entry) : 0;
		if (got)
			return got;
	}
	return got;
}

int ext2_entries(struct fs *fs, const struct fs_node *dir, uint64_t *position, fs_visit *visit,
		 void *context)
{
	struct ext2 *e = ext2_of(fs);
	struct fs_run run = { .count = 0 };
	struct stretch s;
	int got;

	if (*position % 4)
		return -EXO_E_ARG;
	while ((got = stretch_get(e, dir, &run, *position, &s)) == 1) {
		got = stretch_visit(e, dir, &s, position, visit, context);
		fs_cache_put(&fs->cache, s.buffer);
		if (got)
			break;
	}
	return got;
}

/* Search a stretch: 1 and the inode number, 0, or an error. */
static int stretch_find(struct ext2 *e, const struct fs_node *dir, struct stretch *s,
			const char *name, size_t bytes, uint64_t *ino)
{
	const struct ext2_dirent *d;
	int got;

	while ((got = stretch_next(e, dir, s, &d)) == 1) {
		if (d->name_len != bytes || !d->inode || d->name[0] != name[0] ||
		    memcmp(d->name, name, bytes) != 0)
			continue;
		*ino = d->inode;
		return 1;
	}
	return got;
}

int ext2_lookup(struct fs *fs, const struct fs_node *dir, const char *name, size_t bytes,
		struct fs_node *out)
{
	struct ext2 *e = ext2_of(fs);
	struct fs_run run = { .count = 0 };
	uint64_t position = 0, ino = 0;
	struct stretch s;
	int got;

	if (dir->type != FS_DIR)
		return -FS_E_NOTDIR;
	if (bytes == 0 || memchr(name, '/', bytes) || memchr(name, 0, bytes))
		return -EXO_E_ARG;
	while ((got = stretch_get(e, dir, &run, position, &s)) == 1) {
		position = s.start + e->block_bytes;
		got = stretch_find(e, dir, &s, name, bytes, &ino);
		fs_cache_put(&fs->cache, s.buffer);
		if (got)
			break;
	}
	if (got < 0)
		return got;
	return got == 0 ? -FS_E_NOENT : ext2_node(fs, ino, out);
}
