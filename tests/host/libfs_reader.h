/* SPDX-License-Identifier: MIT */
/*
 * libfs_reader.h - read all of an image, however damaged, and insist on what libfs promises:
 * every failure is an error with words, work is bounded, and nothing stays lent or allocated.
 */
#ifndef LIBFS_READER_H
#define LIBFS_READER_H

#include "libfs_fake.h"

#define READER_STEPS 50000u     /* more entries than any small image has: an endless walk */
#define READER_BYTES 65536u

struct reader {
	struct fake_disk disk;
	struct fake_memory memory;
	struct fs_mount_table table;
	struct fs_mount mount;
	struct fs_walk walk;
	struct fs_walk_level level[40];
	unsigned long entries, errors, bytes;
	int err;                /* of mounting */
};

static struct reader reader;
static char reader_buffer[READER_BYTES];

static inline void reader_must(bool promise, const char *what)
{
	if (promise)
		return;
	fprintf(stderr, "broken promise: %s (at %s: %s)\n", what, reader.walk.path,
		reader.mount.fs.why);
	abort();
}

/* Is this a result or an error with a text?  A refusal must also have words. */
static inline int64_t reader_check(int64_t got)
{
	if (got >= 0)
		return got;
	reader.errors++;
	reader_must(strcmp(fs_error_text((int)got), "unknown error") != 0, "an error has a text");
	if (got == -FS_E_CORRUPT || got == -FS_E_UNSUPPORTED)
		reader_must(strncmp(reader.mount.fs.why, "ext2: ", 6) == 0, "a refusal has words");
	return got;
}

static inline void reader_file(const struct fs_node *node)
{
	const uint64_t from[] = { 0, node->size / 2 + 1, node->size - 1, node->size + 9 };
	struct fs_piece piece;
	struct fs_file file;

	reader_must(fs_file_open_node(node, &file) == 0, "a regular file opens");
	for (unsigned i = 0; i < 4; i++) {
		uint64_t at = from[i];
		int64_t got = reader_check(fs_file_read_at(&file, at, reader_buffer, READER_BYTES));

		reader_must(got <= (int64_t)READER_BYTES, "no more than asked for");
		reader_must(got <= 0 || (uint64_t)got <= node->size - at, "not behind the end");
		reader.bytes += got > 0 ? (uint64_t)got : 0;
		if (reader_check(fs_file_lend(&file, at, &piece)) == 1) {
			reader_must(piece.bytes > 0 && piece.bytes <= 4096, "a piece of a block");
			if (piece.data)
				memcpy(reader_buffer, piece.data, piece.bytes);
			fs_file_return(&file, &piece);
		}
	}
	fs_file_close(&file);
}

static inline void reader_dir(const struct fs_node *node)
{
	struct fs_dir dir;
	struct fs_dir_entry entry;
	struct fs_node found;
	unsigned long n = 0;

	reader_must(fs_dir_open_node(node, &dir) == 0, "a directory opens");
	while (reader_check(fs_dir_next(&dir, &entry)) == 1) {
		reader_must(++n < READER_STEPS, "a directory ends");
		reader_must(strlen(entry.name) == entry.name_bytes, "names are sound");
		reader_must(entry.name_bytes <= FS_NAME_MAX, "names are bounded");
		reader_check(fs_dir_node(&dir, &entry, &found));
	}
	reader_check(fs_dir_lookup(&dir, "no such name", &found));
	fs_dir_close(&dir);
}

static inline void reader_entry(struct fs_walk *walk)
{
	struct fs_attr attr;
	struct fs_node node;

	reader_check(walk->node.fs->ops->attr(walk->node.fs, &walk->node, &attr));
	reader_check(fs_path_find(&reader.table, walk->path, true, &node));
	if (walk->node.type == FS_FILE)
		reader_file(&walk->node);
	if (walk->node.type == FS_DIR)
		reader_dir(&walk->node);
	if (walk->node.type == FS_LINK)
		reader_check(fs_path_readlink(&reader.table, walk->path, reader_buffer,
					      FS_PATH_MAX));
}

static inline void reader_walk(void)
{
	struct fs_walk *walk = &reader.walk;
	struct fs_stat stat;
	unsigned long steps = 0;
	int got;

	reader_must(fs_path_stat(&reader.table, "/", &stat) == 0, "a mounted root is there");
	reader_dir(&reader.mount.fs.root);
	got = fs_walk_start(walk, &reader.mount.fs.root, reader.level, 40);
	reader_must(got == 0, "a walk starts");
	while ((got = (int)reader_check(fs_walk_next(walk))) != 0) {
		reader_must(++steps < READER_STEPS, "a walk ends");
		reader.entries++;
		if (got == 1)
			reader_entry(walk);
	}
}

/* Read all there is, on a device of `unit` blocks; what happened stands in `reader`. */
static inline void reader_run_disk(uint64_t cache_bytes, const struct fs_evict_ops *evict)
{
	struct fs_mount_options options = {
		.device = &reader.disk.device, .memory = &reader.memory.memory,
		.cache_bytes = cache_bytes, .evict = evict,
		/* With blocks of 1 KiB every name and node pushes out others. */
		.table_bytes = reader.disk.device.block_bytes == 512 ? 16384 : 1,
	};

	reader.entries = reader.errors = reader.bytes = 0;
	reader.walk.path[0] = 0;
	fs_mount_table_init(&reader.table);
	reader.err = fs_mount_add(&reader.table, &reader.mount, "/", &options);
	reader_must(reader.err <= 0, "mounting is 0 or an error");
	reader_must(reader.err == 0 || reader.mount.fs.why[0], "a refusal to mount has words");
	if (reader.err == 0) {
		reader_walk();
		reader_must(fs_mount_remove(&reader.table, "/") == 0, "nothing stays lent");
	}
	reader_must(reader.memory.out == 0, "nothing stays allocated");
}

static inline void reader_run(const uint8_t *image, uint64_t bytes, uint32_t unit, bool async)
{
	fake_disk_init(&reader.disk, image, bytes, unit, async);
	fake_memory_init(&reader.memory, -1);
	reader_run_disk(64 * 1024, NULL);
}

#endif
