/* SPDX-License-Identifier: MIT */
/*
 * ext2_file.c - what is in files and links: copied, lent, asked for ahead of time.
 */
#include <base/string.h>
#include <base/util.h>

#include "ext2_internal.h"

/* A stretch of file blocks that is read with one batch. */
struct stretch {
	uint64_t block[FS_CACHE_BATCH];         /* disk blocks, 0: hole */
	struct fs_buffer *buffer[FS_CACHE_BATCH];
	uint32_t n;
};

/* Borrow the buffers of block[0 .. n) that are no holes, cutting n where they run out. */
static int stretch_get(struct ext2 *e, struct stretch *s)
{
	struct fs_cache *cache = &e->fs->cache;
	uint64_t wanted[FS_CACHE_BATCH];
	uint32_t n = 0;
	int got = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->block[i])
			wanted[n++] = s->block[i];
	if (n)
		got = fs_cache_get_batch(cache, wanted, n, s->buffer);
	if (got < 0) {
		/* Holes before the block that failed can still be read. */
		for (n = 0; s->block[n] == 0;)
			n++;
		s->n = n;
		return n ? 0 : got;
	}
	for (uint32_t i = 0, used = 0; i < s->n; i++) {
		if (s->block[i] && used == (uint32_t)got)
			s->n = i;
		else if (s->block[i])
			used++;
	}
	return 0;
}

/* Copy out of one block if it is a hole or in the cache: 1, 0 if it must be read, or an error. */
static inline int block_copy(struct ext2 *e, const struct fs_node *node, struct fs_run *run,
			     uint64_t offset, char *out, size_t bytes)
{
	struct fs_buffer *b;
	uint64_t block;
	int err = ext2_run_at(e, node, run, offset >> e->block_log, &block);

	if (err < 0)
		return err;
	if (block == 0) {
		memset(out, 0, bytes);
		return 1;
	}
	b = fs_cache_have(&e->fs->cache, block);
	if (!b)
		return 0;
	memcpy(out, (const char *)b->data + (offset & (e->block_bytes - 1)), bytes);
	fs_cache_put(&e->fs->cache, b);
	return 1;
}

/* Copy out of the stretch, giving the buffers back: bytes copied, from `skip` bytes in on. */
static size_t stretch_copy(struct ext2 *e, struct stretch *s, uint32_t skip, char *out,
			   size_t bytes)
{
	size_t done = 0;

	for (uint32_t i = 0, used = 0; i < s->n; i++, skip = 0) {
		size_t piece = min_u64(e->block_bytes - skip, bytes - done);

		if (s->block[i]) {
			struct fs_buffer *b = s->buffer[used++];

			memcpy(out + done, (const char *)b->data + skip, piece);
			fs_cache_put(&e->fs->cache, b);
		} else {
			memset(out + done, 0, piece);
		}
		done += piece;
	}
	return done;
}

/* Read up to one batch of blocks: bytes > 0, or an error. */
__attribute__((noinline)) static int64_t read_stretch(struct ext2 *e, const struct fs_node *node,
						      struct fs_run *run, uint64_t offset,
						      char *out, size_t bytes)
{
	uint32_t skip = (uint32_t)(offset % e->block_bytes);
	uint64_t blocks = (bytes - 1 + skip) / e->block_bytes + 1;
	struct stretch s;
	int err = ext2_map(e, node, run, offset / e->block_bytes,
			   (uint32_t)min_u64(blocks, FS_CACHE_BATCH), s.block);

	if (err < 0)
		return err;
	s.n = (uint32_t)err;
	err = stretch_get(e, &s);
	if (err < 0)
		return err;
	return (int64_t)stretch_copy(e, &s, skip, out, bytes);
}

int64_t ext2_read(struct fs *fs, const struct fs_node *node, struct fs_run *run, uint64_t offset,
		  void *out, size_t bytes)
{
	struct ext2 *e = ext2_of(fs);
	size_t left = bytes;

	while (left) {
		uint64_t room = e->block_bytes - (offset & (e->block_bytes - 1));
		int64_t got = (int64_t)min_u64(left, room);
		int copied = block_copy(e, node, run, offset, out, (size_t)got);

		if (copied <= 0) {
			got = copied ? copied : read_stretch(e, node, run, offset, out, left);
			if (got < 0)
				return left < bytes ? (int64_t)(bytes - left) : got;
		}
		out = (char *)out + got;
		offset += (uint64_t)got;
		left -= (size_t)got;
	}
	return (int64_t)bytes;
}

int ext2_lend(struct fs *fs, const struct fs_node *node, struct fs_run *run, uint64_t offset,
	      struct fs_piece *out)
{
	struct ext2 *e = ext2_of(fs);
	uint32_t skip = (uint32_t)(offset & (e->block_bytes - 1));
	uint64_t block;
	int err;

	if (offset >= node->size)
		return 0;
	err = ext2_run_at(e, node, run, offset >> e->block_log, &block);
	if (err < 0)
		return err;
	*out = (struct fs_piece){ .bytes = min_u64(e->block_bytes - skip, node->size - offset) };
	if (block == 0)
		return 1;
	err = fs_cache_get(&fs->cache, block, &out->buffer);
	if (err < 0)
		return err;
	out->data = (const char *)out->buffer->data + skip;
	return 1;
}

/* Ask for those of n blocks that are no holes: how many of the n need not be asked for again. */
static uint32_t prefetch_blocks(struct ext2 *e, const uint64_t *block, uint32_t n)
{
	uint64_t wanted[FS_CACHE_BATCH];
	uint32_t of[FS_CACHE_BATCH], count = 0;
	size_t heeded;

	for (uint32_t i = 0; i < n; i++) {
		if (!block[i])
			continue;
		of[count] = i;
		wanted[count++] = block[i];
	}
	heeded = fs_cache_prefetch(&e->fs->cache, wanted, count);
	return heeded < count ? of[heeded] : n;
}

size_t ext2_prefetch(struct fs *fs, const struct fs_node *node, struct fs_run *run,
		     uint64_t offset, size_t bytes)
{
	struct ext2 *e = ext2_of(fs);
	uint64_t block[FS_CACHE_BATCH], first = offset >> e->block_log, end;
	int n;

	if (!fs->device->ops->submit || offset >= node->size || bytes == 0)
		return 0;
	bytes = min_u64(bytes, node->size - offset);
	end = ((offset + bytes - 1) >> e->block_log) + 1;
	n = ext2_map(e, node, run, first, (uint32_t)min_u64(end - first, FS_CACHE_BATCH), block);
	if (n <= 0)
		return 0;
	end = (first + prefetch_blocks(e, block, (uint32_t)n)) << e->block_log;
	return end > offset ? min_u64(bytes, end - offset) : 0;
}

static int64_t link_check(struct fs *fs, const struct fs_node *node, const char *target)
{
	if (memchr(target, 0, node->size))
		return fs_refuse(fs, -FS_E_CORRUPT, "inode %lu: a link with a NUL in its target",
				 (unsigned long)node->ino);
	return (int64_t)node->size;
}

int64_t ext2_readlink(struct fs *fs, const struct fs_node *node, char *out, size_t bytes)
{
	struct fs_run run = { .count = 0 };
	int64_t got;

	if (node->type != FS_LINK)
		return -FS_E_NOTLINK;
	if (node->size > bytes)
		return -EXO_E_ROOM;
	if (node->own[EXT2_OWN_FAST]) {
		memcpy(out, node->own, node->size);
		return link_check(fs, node, out);
	}
	got = ext2_read(fs, node, &run, 0, out, node->size);
	return got < 0 ? got : link_check(fs, node, out);
}
