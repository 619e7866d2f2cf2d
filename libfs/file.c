/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files.
 *
 * Invariant: blocks of [position, ahead) were asked for ahead of time; ahead only counts while the
 * reader goes on in order.
 */
#include <base/util.h>
#include <libfs/file.h>

#include "path_internal.h"

int fs_file_open_node(const struct fs_node *node, struct fs_file *out)
{
	if (node->type == FS_DIR)
		return -FS_E_ISDIR;
	if (node->type != FS_FILE)
		return -FS_E_NOTFILE;
	out->node = *node;
	out->run.count = 0;
	out->far.count = 0;
	out->position = 0;
	out->expected = 0;
	out->ahead = 0;
	out->calm = UINT64_MAX;
	node->fs->open++;
	return 0;
}

int fs_file_open(struct fs_mount_table *table, const char *path, struct fs_file *out)
{
	const struct fs_node *node;
	int err = path_walk(table, path, true, &node);

	return err < 0 ? err : fs_file_open_node(node, out);
}

void fs_file_close(struct fs_file *file)
{
	file->node.fs->open--;
	file->node.fs = NULL;
}

/* A read that goes on from the last, of [.., end), is to come: ask for what follows. */
static void file_ahead(struct fs_file *file, uint64_t end)
{
	struct fs *fs = file->node.fs;
	uint64_t from = max_u64(file->ahead, end), reads = fs->cache.stats.reads;
	uint64_t until = min_u64(end + FS_AHEAD_BYTES, file->node.size);
	size_t heeded;

	/* Ask for a half at a time, not a block with each read. */
	if (from >= until || (until < file->node.size && until - from < FS_AHEAD_BYTES / 2))
		return;
	heeded = fs->ops->prefetch(fs, &file->node, &file->far, from, until - from);
	file->ahead = from + heeded;
	file->calm = heeded && fs->cache.stats.reads == reads ? reads : UINT64_MAX;
}

/*
 * A read of [offset, end) is to come.  When all that was asked for ahead of time was there already,
 * nothing more is asked for until the device is read again, by whomever.
 */
static inline void file_reads(struct fs_file *file, uint64_t offset, uint64_t end)
{
	if (offset != file->expected)
		file->ahead = 0;
	else if (file->node.fs->cache.stats.reads != file->calm)
		file_ahead(file, end);
}

int64_t fs_file_read_at(struct fs_file *file, uint64_t offset, void *out, size_t bytes)
{
	struct fs *fs = file->node.fs;
	int64_t got;

	if (offset >= file->node.size)
		return 0;
	bytes = min_u64(bytes, file->node.size - offset);
	file_reads(file, offset, offset + bytes);
	got = fs->ops->read(fs, &file->node, &file->run, offset, out, bytes);
	if (got > 0)
		file->expected = offset + (uint64_t)got;
	return got;
}

int64_t fs_file_read(struct fs_file *file, void *out, size_t bytes)
{
	int64_t got = fs_file_read_at(file, file->position, out, bytes);

	if (got > 0)
		file->position += (uint64_t)got;
	return got;
}

int fs_file_lend(struct fs_file *file, uint64_t offset, struct fs_piece *out)
{
	struct fs *fs = file->node.fs;
	int got;

	if (offset >= file->node.size)
		return 0;
	file_reads(file, offset, min_u64(offset + fs->cache.block_bytes, file->node.size));
	got = fs->ops->lend(fs, &file->node, &file->run, offset, out);
	if (got > 0)
		file->expected = offset + out->bytes;
	return got;
}

void fs_file_return(struct fs_file *file, struct fs_piece *piece)
{
	if (piece->buffer)
		fs_cache_put(&file->node.fs->cache, piece->buffer);
	*piece = (struct fs_piece){ .data = NULL };
}
