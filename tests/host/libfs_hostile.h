/* SPDX-License-Identifier: MIT */
/*
 * libfs_hostile.h - telling lies to libfs: an image in memory, places in it, one lie at a time.
 */
#ifndef LIBFS_HOSTILE_H
#define LIBFS_HOSTILE_H

#include "libfs_reader.h"
#include "test.h"

#define SUPER(field) (1024 + (field))
#define I_MODE 0
#define I_SIZE 4
#define I_LINKS 26
#define I_BLOCKS 28
#define I_FLAGS 32
#define I_BLOCK(n) (40 + 4 * (n))
#define I_FILE_ACL 104
#define I_SIZE_HIGH 108
#define BAD 0xfffffff0u

static struct fs_mount_options reader_options = {
	.device = &reader.disk.device, .memory = &reader.memory.memory,
};
static uint8_t *image;          /* mapped privately: 1 KiB blocks where its places are used */
static uint64_t image_bytes;

static inline bool load(const char *name)
{
	if (image)
		munmap(image, image_bytes);
	image = fake_image(name, true, &image_bytes);
	if (!image)
		test_fail("no image %s", name);
	return image != NULL;
}

#define LOAD(name)                                              \
	do {                                                    \
		if (fake_missing())                             \
			TEST_SKIP("e2fsprogs is not installed"); \
		if (!load(name))                                \
			return;                                 \
	} while (0)

static inline uint32_t get(uint64_t at, unsigned width)
{
	uint32_t value = 0;

	memcpy(&value, image + at, width);
	return value;
}

static inline void put(uint64_t at, unsigned width, uint32_t value)
{
	memcpy(image + at, &value, width);
}

/* Where an inode of small1k.img lies. */
static inline uint64_t inode_at(uint64_t ino)
{
	uint32_t per_group = get(SUPER(40), 4), size = get(SUPER(76), 4) ? get(SUPER(88), 2) : 128;
	uint64_t group = (ino - 1) / per_group;

	return get(2048 + group * 32 + 8, 4) * 1024ul + (ino - 1) % per_group * size;
}

/* The inode number behind a path of the undamaged image. */
static inline uint64_t ino_of(const char *path)
{
		struct fs_node node = { .ino = 0 };

	fake_disk_init(&reader.disk, image, image_bytes, 512, false);
	fake_memory_init(&reader.memory, -1);
	fs_mount_table_init(&reader.table);
	CHECK_EQ(fs_mount_add(&reader.table, &reader.mount, "/", &reader_options), 0);
	CHECK_EQ(fs_path_find(&reader.table, path, false, &node), 0);
	CHECK_EQ(fs_mount_remove(&reader.table, "/"), 0);
	return node.ino;
}

/* Try a path on the image as it is now: open and read it all, or list it. */
static inline int try_path(const char *path, char *why, size_t why_bytes)
{
		struct fs_node node;
	struct fs_dir dir;
	struct fs_dir_entry entry;
	struct fs_file file;
	int64_t err;

	fake_disk_init(&reader.disk, image, image_bytes, 512, true);
	fake_memory_init(&reader.memory, -1);
	fs_mount_table_init(&reader.table);
	err = fs_mount_add(&reader.table, &reader.mount, "/", &reader_options);
	if (err == 0) {
		err = fs_path_find(&reader.table, path, true, &node);
		if (err == 0 && node.type == FS_DIR && (err = fs_dir_open_node(&node, &dir)) == 0) {
			while ((err = fs_dir_next(&dir, &entry)) == 1)
				;
			fs_dir_close(&dir);
		} else if (err == 0 && (err = fs_file_open_node(&node, &file)) == 0) {
			while ((err = fs_file_read(&file, reader_buffer, READER_BYTES)) > 0 &&
			       file.position < 100ul << 20)
				;
			fs_file_close(&file);
		}
		snprintf(why, why_bytes, "%s", reader.mount.fs.why);
		CHECK_EQ(fs_mount_remove(&reader.table, "/"), 0);
	} else {
		snprintf(why, why_bytes, "%s", reader.mount.fs.why);
	}
	CHECK_EQ(reader.memory.out, 0);
	return err > 0 ? 0 : (int)err;
}

/* One lie: `path` must fail with `error`, with `word` in the reason; and not without the lie. */
static inline void lie(uint64_t at, unsigned width, uint32_t value, const char *path, int error,
		const char *word)
{
	uint32_t truth = get(at, width);
	char why[FS_WHY_BYTES];
	int err;

	err = try_path(path, why, sizeof why);
	if (err != 0)
		test_fail("%s fails before the lie at %lu: %d (%s)", path, at, err, why);
	put(at, width, value);
	err = try_path(path, why, sizeof why);
	if (err != error || !strstr(why, word))
		test_fail("at %lu: %u for %u: %s: %d (%s), expected %d (%s)", at, value, truth,
			  path, err, why, error, word);
	reader_run(image, image_bytes, 1024, true);
	put(at, width, truth);
}

#endif
