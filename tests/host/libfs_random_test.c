/* SPDX-License-Identifier: MIT */
/*
 * libfs_random_test.c - images that lie at random or are cut short, devices that fail, memory that
 * is short: whatever comes, libfs keeps its promises (libfs_reader.h).
 */
// prepare: tests/host/gen_ext2.py small
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
// timeout: 240
#include "libfs_hostile.h"

/* Every length an image can be cut to; then again with a superblock that agrees. */
TEST(hostile_truncated)
{
	LOAD("small1k.img");
	for (uint64_t bytes = 0; bytes < image_bytes; bytes += bytes < 8192 ? 512 : 2048) {
		reader_run(image, bytes, 512, true);
		if (reader.err != (bytes < 2048 ? -FS_E_NOTFS : -FS_E_CORRUPT))
			test_fail("cut to %lu: %d", bytes, reader.err);
	}
	for (uint32_t blocks = 3; blocks < 384; blocks += 7) {
		put(SUPER(4), 4, blocks);
		put(SUPER(0), 4, 40);
		reader_run(image, blocks * 1024ul, 1024, false);
		CHECK(reader.err == 0 || reader.err == -FS_E_CORRUPT);
	}
}

static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static uint32_t rnd_value(void)
{
	static const uint32_t nasty[] = {
		0, 1, 2, 3, 8, 12, 0x7f, 0x80, 0xff, 383, 384, 1024, 4096, 0x7fff, 0xffff,
		0x7fffffff, 0x80000000, 0xffffffff,
	};

	return rnd(2) ? nasty[rnd(sizeof nasty / sizeof nasty[0])] : (uint32_t)rnd(1ul << 32);
}

/* Change up to 12 places, read it all, and put the truth back. */
static void mutate_once(void)
{
	uint64_t at[12];
	uint32_t truth[12];
	unsigned n = 1 + (unsigned)rnd(12);

	for (unsigned i = 0; i < n; i++) {
		/* Mostly the first third: superblock, descriptors, inodes, directories. */
		at[i] = rnd(8) ? 1024 + rnd(image_bytes / 3) : rnd(image_bytes - 4);
		truth[i] = get(at[i], 4);
		put(at[i], rnd(2) ? 4 : 1 + (unsigned)rnd(2), rnd_value());
	}
	reader_run(image, image_bytes, rnd(2) ? 512 : 1024, rnd(2));
	while (n--)
		put(at[n], 4, truth[n]);
}

static void mutate_many(const char *name, unsigned times)
{
	unsigned long mounted = 0, errors = 0;

	LOAD(name);
	seed = 0x9e3779b97f4a7c15ul;
	for (unsigned i = 0; i < times; i++) {
		mutate_once();
		mounted += reader.err == 0;
		errors += reader.errors;
	}
	/* The mutations must reach further than the superblock to be worth anything. */
	CHECK(mounted > times / 2 && errors > times);
}

TEST(hostile_random_1k) { mutate_many("small1k.img", 3000); }
TEST(hostile_random_2k) { mutate_many("small2k.img", 2000); }
TEST(hostile_random_4k) { mutate_many("small4k.img", 2000); }

/* Revision 0 has no features, 128-byte inodes and two bytes of name length in an entry. */
TEST(hostile_revision_0)
{
	uint64_t root;

	LOAD("small-rev0.img");
	CHECK_EQ(get(SUPER(76), 4), 0);
	put(SUPER(88), 2, 77);
	put(SUPER(96), 4, UINT32_MAX);
	reader_run(image, image_bytes, 512, true);
	CHECK(reader.err == 0 && reader.entries > 50 && reader.bytes > 200000);
	root = get(inode_at(2) + I_BLOCK(0), 4) * 1024ul;
	lie(root + 24 + 7, 1, 1, "/", -FS_E_CORRUPT, "name_len is over 255");
	mutate_many("small-rev0.img", 500);
}

/* A block that cannot be read: what lies before it is given, holes included, then the error. */
TEST(hostile_unreadable_block_behind_holes)
{
		struct fs_file file;
	uint64_t last = 399000 / 1024 * 1024;

	LOAD("small1k.img");
	fake_disk_init(&reader.disk, image, image_bytes, 512, true);
	fake_memory_init(&reader.memory, -1);
	fs_mount_table_init(&reader.table);
	CHECK_EQ(fs_mount_add(&reader.table, &reader.mount, "/", &reader_options), 0);
	CHECK_EQ(fs_file_open(&reader.table, "/double", &file), 0);
	CHECK_EQ(fs_file_read_at(&file, last - 3000, reader_buffer, 100), 100);
	reader.disk.fail_hi = UINT64_MAX;
	CHECK_EQ(fs_cache_forget(&reader.mount.fs.cache), 0);
	CHECK_EQ(fs_file_read_at(&file, last - 3000, reader_buffer, 100), -FS_E_IO);
	reader.disk.fail_hi = 0;
	CHECK_EQ(fs_file_read_at(&file, last - 3000, reader_buffer, 100), 100);
	reader.disk.fail_hi = UINT64_MAX;
	memset(reader_buffer, 7, 4096);
	CHECK_EQ(fs_file_read_at(&file, last - 3000, reader_buffer, 4000), 3000);
	for (unsigned i = 0; i < 3000; i++)
		CHECK_EQ(reader_buffer[i], 0);
	CHECK_EQ(fs_file_read_at(&file, last, reader_buffer, 100), -FS_E_IO);
	reader.disk.fail_hi = 0;
	CHECK_EQ(fs_file_read_at(&file, last, reader_buffer, 2000), 400000 - (int64_t)last);
	fs_file_close(&file);
	CHECK_EQ(fs_mount_remove(&reader.table, "/"), 0);
}

/* Each read of a whole run fails once: an error or the right data, and nothing is lost. */
TEST(hostile_io_errors)
{
	uint64_t reads;

	LOAD("small1k.img");
	reader_run(image, image_bytes, 512, false);
	reads = reader.disk.reads;
	CHECK(reads > 100);
	for (uint64_t n = 1; n <= reads; n++) {
		fake_disk_init(&reader.disk, image, image_bytes, 512, n % 2);
		fake_memory_init(&reader.memory, -1);
		reader.disk.fail_at = n;
		reader_run_disk(64 * 1024, NULL);
		if (n <= 3)
			CHECK_EQ(reader.err, -FS_E_IO);
	}
}

/* Less and less memory: a refusal or a smaller cache, never a crash. */
TEST(hostile_short_memory)
{
	bool refused = false, worked = false;

	LOAD("small1k.img");
	for (long pages = 0; pages < 40; pages++) {
		fake_disk_init(&reader.disk, image, image_bytes, 512, true);
		fake_memory_init(&reader.memory, pages);
		reader_run_disk(1 << 20, NULL);
		refused |= reader.err == -FS_E_NOMEM;
		worked |= reader.err == 0;
		CHECK(reader.err == 0 || reader.err == -FS_E_NOMEM);
		CHECK(!worked || reader.err == 0);
	}
	CHECK(refused && worked);
}

TEST_MAIN
