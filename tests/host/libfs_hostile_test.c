/* SPDX-License-Identifier: MIT */
/*
 * libfs_hostile_test.c - images that lie: each field in turn.
 *
 * Each targeted lie also shows that the same image without it is read without an error.
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
#include "test.h"

TEST(hostile_superblock)
{
	static const struct {
		unsigned at, width;
		uint32_t value;
		int error;
		const char *word;
	} lies[] = {
		{ 0, 4, 0, FS_E_CORRUPT, "s_inodes_count" },
		{ 0, 4, 1, FS_E_CORRUPT, "s_inodes_count" },
		{ 0, 4, UINT32_MAX, FS_E_CORRUPT, "s_inodes_count" },
		{ 4, 4, 0, FS_E_CORRUPT, "s_blocks_count" },
		{ 4, 4, 2, FS_E_CORRUPT, "s_blocks_count" },
		{ 4, 4, 385, FS_E_CORRUPT, "cut short" },
		{ 4, 4, UINT32_MAX, FS_E_CORRUPT, "cut short" },
		{ 20, 4, 0, FS_E_CORRUPT, "s_first_data_block" },
		{ 20, 4, UINT32_MAX, FS_E_CORRUPT, "s_first_data_block" },
		{ 24, 4, 1, FS_E_CORRUPT, "s_first_data_block" },
		{ 24, 4, 3, FS_E_UNSUPPORTED, "blocks of 2^13" },
		{ 24, 4, 7, FS_E_CORRUPT, "blocks of" },
		{ 24, 4, 32, FS_E_CORRUPT, "blocks of" },
		{ 24, 4, UINT32_MAX, FS_E_CORRUPT, "blocks of" },
		{ 32, 4, 0, FS_E_CORRUPT, "s_blocks_per_group" },
		{ 32, 4, 8193, FS_E_CORRUPT, "s_blocks_per_group" },
		{ 32, 4, UINT32_MAX, FS_E_CORRUPT, "s_blocks_per_group" },
		{ 40, 4, 0, FS_E_CORRUPT, "s_inodes_per_group" },
		{ 40, 4, 1, FS_E_CORRUPT, "s_inodes_count" },
		{ 40, 4, UINT32_MAX, FS_E_CORRUPT, "s_inodes_per_group" },
		{ 56, 2, 0xef52, FS_E_NOTFS, "known kind" },
		{ 76, 4, 2, FS_E_UNSUPPORTED, "revision 2" },
		{ 76, 4, UINT32_MAX, FS_E_UNSUPPORTED, "revision" },
		{ 84, 4, 0, FS_E_CORRUPT, "s_first_ino" },
		{ 88, 2, 0, FS_E_CORRUPT, "s_inode_size" },
		{ 88, 2, 64, FS_E_CORRUPT, "s_inode_size" },
		{ 88, 2, 192, FS_E_CORRUPT, "s_inode_size" },
		{ 88, 2, 2048, FS_E_CORRUPT, "s_inode_size" },
		{ 88, 2, 65535, FS_E_CORRUPT, "s_inode_size" },
	};

	LOAD("small1k.img");
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
		lie(SUPER(lies[i].at), lies[i].width, lies[i].value, "/hello", -lies[i].error,
		    lies[i].word);
}

TEST(hostile_features_are_refused_by_name)
{
	static const char *const name[32] = {
		"compression", NULL, "needs_recovery", "journal_dev", "meta_bg", "0x20", "extent",
		"64bit", "mmp", "flex_bg", "ea_inode", "0x800", "dirdata", "metadata_csum_seed",
		"large_dir", "inline_data", "encrypt", "casefold", "0x40000",
	};

	LOAD("small1k.img");
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t had = get(SUPER(96), 4);
		char number[16];

		snprintf(number, sizeof number, "0x%x", 1u << bit);
		if (bit != 1)
			lie(SUPER(96), 4, had | 1u << bit, "/hello", -FS_E_UNSUPPORTED,
			    name[bit] ? name[bit] : number);
		/* Features that concern writers only are nothing to a reader. */
		put(SUPER(100), 4, 1u << bit);
		put(SUPER(92), 4, 1u << bit);
		reader_run(image, image_bytes, 512, false);
		CHECK(reader.err == 0 && reader.errors > 0 && reader.entries > 50);
		load("small1k.img");
	}
	lie(SUPER(96), 4, UINT32_MAX, "/hello", -FS_E_UNSUPPORTED, "compression needs_recovery");
}

TEST(hostile_group_descriptor)
{
	LOAD("small1k.img");
	lie(2048 + 8, 4, 0, "/hello", -FS_E_CORRUPT, "bg_inode_table");
	lie(2048 + 8, 4, 1, "/hello", -FS_E_CORRUPT, "bg_inode_table");
	lie(2048 + 8, 4, 383, "/hello", -FS_E_CORRUPT, "bg_inode_table");
	lie(2048 + 8, 4, 384, "/hello", -FS_E_CORRUPT, "bg_inode_table");
	lie(2048 + 8, 4, UINT32_MAX, "/hello", -FS_E_CORRUPT, "bg_inode_table");
}

TEST(hostile_root_inode)
{
	uint64_t at;

	LOAD("small1k.img");
	at = inode_at(2);
	lie(at + I_MODE, 2, 0, "/", -FS_E_CORRUPT, "i_mode");
	lie(at + I_MODE, 2, 0xf000, "/", -FS_E_CORRUPT, "i_mode");
	lie(at + I_MODE, 2, 0x81ff, "/", -FS_E_CORRUPT, "not a directory");
	lie(at + I_LINKS, 2, 0, "/", -FS_E_CORRUPT, "deleted");
	lie(at + I_SIZE, 4, 1000, "/", -FS_E_CORRUPT, "a directory of 1000 bytes");
	lie(at + I_SIZE, 4, 0xfffffc00, "/", -FS_E_CORRUPT, "a directory of");
	lie(at + I_SIZE, 4, 385 * 1024, "/", -FS_E_CORRUPT, "a directory of");
	lie(at + I_SIZE, 4, 20 * 1024, "/", -FS_E_CORRUPT, "a hole");
	lie(at + I_FLAGS, 4, 0x80000, "/", -FS_E_UNSUPPORTED, "extents");
	lie(at + I_FLAGS, 4, 0x10000000, "/", -FS_E_UNSUPPORTED, "inline data");
	lie(at + I_FLAGS, 4, 0x800, "/", -FS_E_UNSUPPORTED, "encryption");
	lie(at + I_BLOCK(0), 4, 0, "/", -FS_E_CORRUPT, "a hole");
	lie(at + I_BLOCK(0), 4, 1, "/", -FS_E_CORRUPT, "out of range");
	lie(at + I_BLOCK(0), 4, 384, "/", -FS_E_CORRUPT, "out of range");
	lie(at + I_BLOCK(0), 4, UINT32_MAX, "/", -FS_E_CORRUPT, "out of range");
}

TEST(hostile_directory_entries)
{
	uint64_t at;
	uint32_t first;

	LOAD("small1k.img");
	at = get(inode_at(2) + I_BLOCK(0), 4) * 1024ul;
	first = get(at + 4, 2);
	CHECK_EQ(first, 12);    /* "." */
	at += 24;               /* behind "." and ".." */
	lie(at + 4, 2, 0, "/", -FS_E_CORRUPT, "rec_len is impossible");
	lie(at + 4, 2, 4, "/", -FS_E_CORRUPT, "rec_len is impossible");
	lie(at + 4, 2, get(at + 4, 2) + 1, "/", -FS_E_CORRUPT, "rec_len is impossible");
	lie(at + 4, 2, get(at + 4, 2) + 2, "/", -FS_E_CORRUPT, "rec_len is impossible");
	lie(at + 4, 2, 1024, "/", -FS_E_CORRUPT, "crosses the end");
	lie(at + 4, 2, 65532, "/", -FS_E_CORRUPT, "crosses the end");
	lie(at + 4, 2, 996, "/", -FS_E_CORRUPT, "rec_len is impossible");
	lie(at + 6, 1, 0, "/", -FS_E_CORRUPT, "name_len");
	lie(at + 6, 1, 255, "/", -FS_E_CORRUPT, "name_len");
	lie(at + 0, 4, BAD, "/", -FS_E_CORRUPT, "inode number");
	lie(at + 8, 1, '/', "/", -FS_E_CORRUPT, "'/' or NUL");
	lie(at + 9, 1, 0, "/", -FS_E_CORRUPT, "'/' or NUL");
}

/* An entry that names a reserved or a deleted inode spoils that name only. */
TEST(hostile_entry_inode)
{
	uint64_t root, hello, at;

	LOAD("small1k.img");
	hello = ino_of("/hello");
	root = get(inode_at(2) + I_BLOCK(0), 4) * 1024ul;
	for (at = root; get(at, 4) != hello && at < root + 1024;)
		at += get(at + 4, 2);
	lie(at, 4, 7, "/hello", -FS_E_CORRUPT, "inode number 7");
	lie(at, 4, 1, "/hello", -FS_E_CORRUPT, "inode number 1");
	lie(at, 4, get(SUPER(0), 4), "/hello", -FS_E_CORRUPT, "deleted");
	put(at, 4, 7);
	CHECK_EQ(ino_of("/direct") != 0, 1);
}

TEST(hostile_block_pointers)
{
	uint64_t at, triple, block;
	char why[FS_WHY_BYTES];

	LOAD("small1k.img");
	at = inode_at(ino_of("/indirect"));
	lie(at + I_BLOCK(3), 4, 384, "/indirect", -FS_E_CORRUPT, "out of range");
	lie(at + I_BLOCK(12), 4, BAD, "/indirect", -FS_E_CORRUPT, "out of range");
	block = get(at + I_BLOCK(12), 4);
	lie(block * 1024 + 8, 4, BAD, "/indirect", -FS_E_CORRUPT, "out of range");
	at = inode_at(ino_of("/double"));
	lie(at + I_BLOCK(13), 4, 384, "/double", -FS_E_CORRUPT, "out of range");
	triple = inode_at(ino_of("/triple"));
	lie(triple + I_BLOCK(14), 4, 1, "/triple", -FS_E_CORRUPT, "out of range");
	/* A triple indirect block that points to itself: three steps, then it is data. */
	block = get(triple + I_BLOCK(14), 4);
	for (unsigned i = 0; i < 256; i++)
		put(block * 1024 + i * 4, 4, (uint32_t)block);
	CHECK_EQ(try_path("/triple", why, sizeof why), 0);
	reader_run(image, image_bytes, 512, true);
	CHECK_EQ(reader.err, 0);
}

TEST(hostile_sizes_of_files)
{
	uint64_t at, most = (12 + 256 + 65536 + 16777216ul) * 1024;
	struct fs_file file;

	LOAD("small1k.img");
	at = inode_at(ino_of("/hello"));
	lie(at + I_SIZE_HIGH, 4, UINT32_MAX, "/hello", -FS_E_CORRUPT, "i_size");
	lie(at + I_SIZE_HIGH, 4, 5, "/hello", -FS_E_CORRUPT, "i_size");
	/* As large as can be mapped: holes to its last byte. */
	put(at + I_SIZE, 4, (uint32_t)most);
	put(at + I_SIZE_HIGH, 4, (uint32_t)(most >> 32));
	reader_run(image, image_bytes, 512, true);
	CHECK_EQ(reader.err, 0);
	fs_mount_table_init(&reader.table);
	CHECK_EQ(fs_mount_add(&reader.table, &reader.mount, "/", &reader_options), 0);
	CHECK_EQ(fs_file_open(&reader.table, "/hello", &file), 0);
	CHECK_EQ(fs_file_read_at(&file, most - 1, reader_buffer, 10), 1);
	CHECK_EQ(reader_buffer[0], 0);
	CHECK_EQ(fs_file_read_at(&file, 0, reader_buffer, 5), 5);
	CHECK_EQ(memcmp(reader_buffer, "hello", 5), 0);
	fs_file_close(&file);
	CHECK_EQ(fs_mount_remove(&reader.table, "/"), 0);
}

TEST(hostile_links)
{
	uint64_t fast, slow;
	char why[FS_WHY_BYTES];

	LOAD("small1k.img");
	fast = inode_at(ino_of("/fast"));
	lie(fast + I_SIZE, 4, 0, "/fast", -FS_E_CORRUPT, "a link of 0 bytes");
	lie(fast + I_SIZE, 4, 60, "/fast", -FS_E_CORRUPT, "a link of 60 bytes");
	lie(fast + I_SIZE, 4, UINT32_MAX, "/fast", -FS_E_CORRUPT, "a link of");
	lie(fast + I_BLOCK(0), 1, 0, "/fast", -FS_E_CORRUPT, "NUL");
	lie(fast + I_BLOCKS, 4, 2, "/fast", -FS_E_CORRUPT, "out of range");
	/* No lie: a block of extended attributes does not make the link a slow one. */
	put(fast + I_FILE_ACL, 4, 100);
	put(fast + I_BLOCKS, 4, 2);
	CHECK_EQ(try_path("/fast", why, sizeof why), 0);
	slow = inode_at(ino_of("/slow"));
	lie(slow + I_SIZE, 4, 1025, "/slow", -FS_E_CORRUPT, "a link of 1025 bytes");
	lie(slow + I_BLOCK(0), 4, BAD, "/slow", -FS_E_CORRUPT, "out of range");
	lie(get(slow + I_BLOCK(0), 4) * 1024ul + 3, 1, 0, "/slow", -FS_E_CORRUPT, "NUL");
}

/* Entry `n` of the directory whose first block is `block`. */
static uint64_t entry_at(uint64_t block, unsigned n)
{
	uint64_t at = block * 1024;

	while (n--)
		at += get(at + 4, 2);
	return at;
}

/* a/b/c -> a: the walk refuses to enter a below c, and reads all the rest. */
TEST(hostile_directory_loop)
{
	uint64_t a, c, before;

	LOAD("small1k.img");
	reader_run(image, image_bytes, 512, true);
	before = reader.entries;
	a = ino_of("/a");
	c = get(inode_at(ino_of("/a/b/c")) + I_BLOCK(0), 4);
	put(entry_at(c, 2), 4, (uint32_t)a);
	reader_run(image, image_bytes, 512, true);
	CHECK_EQ(reader.err, 0);
	CHECK_EQ(reader.entries, before + 1);   /* "deep" is now a directory that is not entered */
	CHECK(reader.errors > 0);
}

/* Forty names for one directory in its own parent: more directories than inodes end the walk. */
TEST(hostile_directory_bomb)
{
	uint64_t a, many, block, mi;
	static struct fs_walk_level level[40];
		int got;

	LOAD("small1k.img");
	a = ino_of("/a");
	many = ino_of("/many");
	mi = inode_at(many);
	put(entry_at(get(inode_at(a) + I_BLOCK(0), 4), 1), 4, (uint32_t)many);
	for (uint64_t b = 0; b < get(mi + I_SIZE, 4) / 1024; b++) {
		block = get(mi + I_BLOCK(b), 4);
		for (uint64_t at = block * 1024; at < block * 1024 + 1024; at += get(at + 4, 2))
			if (get(at, 4) && image[at + 8] != '.')
				put(at, 4, (uint32_t)a);
	}
	put(SUPER(0), 4, 80);
	reader_run(image, image_bytes, 512, true);
	CHECK_EQ(reader.err, 0);
	fs_mount_table_init(&reader.table);
	CHECK_EQ(fs_mount_add(&reader.table, &reader.mount, "/", &reader_options), 0);
	CHECK_EQ(fs_walk_start(&reader.walk, &reader.mount.fs.root, level, 40), 0);
	do
		got = fs_walk_next(&reader.walk);
	while (got == 1 || (got < 0 && !strstr(reader.mount.fs.why, "more directories")));
	CHECK_EQ(got, -FS_E_CORRUPT);
	CHECK_EQ(fs_walk_next(&reader.walk), 0);
	CHECK_EQ(fs_mount_remove(&reader.table, "/"), 0);
}

/* ".." that names a file, and one that names nothing. */
TEST(hostile_parent_entry)
{
	uint64_t b, hello;

	LOAD("small1k.img");
	hello = ino_of("/hello");
	b = get(inode_at(ino_of("/a/b")) + I_BLOCK(0), 4) * 1024ul;
	lie(b + 12, 4, (uint32_t)hello, "/a/b/../b", -FS_E_CORRUPT, ".. is not a directory");
	put(b + 12, 4, (uint32_t)hello);
	CHECK_EQ(ino_of("/a/b/c/deep") != 0, 1);
	put(b + 12, 4, 0);
	reader_run(image, image_bytes, 512, true);
	CHECK_EQ(reader.err, 0);
	CHECK(strstr(reader.mount.fs.why, "whose .. is not where it was found") != NULL);
}

TEST_MAIN
