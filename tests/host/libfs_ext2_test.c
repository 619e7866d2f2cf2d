/* SPDX-License-Identifier: MIT */
/*
 * libfs_ext2_test.c - images of a generated tree, as mke2fs makes them: everything in them is
 * compared with the tree, by XXH64, in both directions.
 */
// prepare: tests/host/gen_ext2.py full
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
// timeout: 240
#define _GNU_SOURCE
#define XXH_INLINE_ALL
#include <errno.h>
#include <ftw.h>
#include <xxhash.h>

#include "libfs_fake.h"
#include "test.h"

#define WINDOW 65536u
#define LARGE (80ul << 20)      /* files beyond are compared around their data and at samples */

struct mounted {
	struct fake_disk disk;
	struct fake_memory memory;
	struct fs_mount_table table;
	struct fs_mount mount;
};

static struct mounted m;
static char tree[400];          /* path of the original */
static unsigned long host_entries;

static bool mount_image(const char *name, uint32_t unit, bool async)
{
	struct fs_mount_options options = { .device = &m.disk.device, .memory = &m.memory.memory };
	uint64_t bytes;
	const uint8_t *image = fake_image(name, false, &bytes);
	int err;

	snprintf(tree, sizeof tree, "%s/tree", getenv("TMPDIR"));
	if (!image) {
		test_fail("no image %s", name);
		return false;
	}
	fake_disk_init(&m.disk, image, bytes, unit, async);
	fake_memory_init(&m.memory, -1);
	fs_mount_table_init(&m.table);
	err = fs_mount_add(&m.table, &m.mount, "/", &options);
	if (err < 0)
		test_fail("%s: %s (%s)", name, fs_error_text(err), m.mount.fs.why);
	return err == 0;
}

static void unmount_image(void)
{
	CHECK_EQ(fs_mount_remove(&m.table, "/"), 0);
	CHECK_EQ(m.memory.out, 0);
	munmap((void *)m.disk.image, m.disk.bytes);
}

/* XXH64 of [from, to) of both, read in pieces of an odd size. */
static void compare_range(struct fs_file *file, int fd, uint64_t from, uint64_t to,
			  const char *path)
{
	static char ours[WINDOW], theirs[WINDOW];
	XXH64_state_t a, b;
	size_t piece = 1 + from % 7 + (to - from > 3000 ? 60001 : 997);

	XXH64_reset(&a, 0);
	XXH64_reset(&b, 0);
	while (from < to) {
		size_t want = to - from < piece ? to - from : piece;
		int64_t got = fs_file_read_at(file, from, ours, want);

		if (got != (int64_t)want || pread(fd, theirs, want, (off_t)from) != (ssize_t)want) {
			test_fail("%s: read %ld of %zu bytes at %lu: %s", path, (long)got, want,
				  from, m.mount.fs.why);
			return;
		}
		XXH64_update(&a, ours, want);
		XXH64_update(&b, theirs, want);
		from += want;
	}
	if (XXH64_digest(&a) != XXH64_digest(&b))
		test_fail("%s: contents differ before byte %lu", path, to);
}

/* All data of a large sparse file with what lies around it, and samples elsewhere. */
static void compare_sparse(struct fs_file *file, int fd, uint64_t size, const char *path)
{
	uint64_t seed = 88172645463325252ul;

	for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0;) {
		off_t end = lseek(fd, at, SEEK_HOLE);
		uint64_t from = at > (off_t)WINDOW ? (uint64_t)at - WINDOW : 0;
		uint64_t to = (uint64_t)end + WINDOW < size ? (uint64_t)end + WINDOW : size;

		compare_range(file, fd, from, to, path);
		at = end;
	}
	for (int i = 0; i < 200; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		compare_range(file, fd, seed % (size - 5000), seed % (size - 5000) + 5000, path);
	}
}

/* The same bytes, lent instead of copied. */
static void compare_lent(struct fs_file *file, int fd, uint64_t size, const char *path)
{
	static char theirs[4096];
	struct fs_piece piece;

	for (uint64_t at = 0; at < size; at += piece.bytes) {
		uint64_t bytes;

		if (fs_file_lend(file, at, &piece) != 1 || piece.bytes == 0 || piece.bytes > 4096) {
			test_fail("%s: not lent at %lu", path, at);
			return;
		}
		bytes = piece.bytes;
		if (pread(fd, theirs, bytes, (off_t)at) != (ssize_t)bytes)
			test_fail("%s: short file", path);
		for (size_t i = 0; i < bytes; i++)
			if ((piece.data ? ((const char *)piece.data)[i] : 0) != theirs[i])
				test_fail("%s: lent byte %lu differs", path, at + i);
		fs_file_return(file, &piece);
		piece.bytes = bytes;
	}
	CHECK_EQ(fs_file_lend(file, size, &piece), 0);
}

static void compare_file(const struct fs_node *node, const char *path)
{
	char host[5000], c;
	struct fs_file file;
	int fd;

	snprintf(host, sizeof host, "%s/%s", tree, path);
	fd = open(host, O_RDONLY);
	REQUIRE(fd >= 0);
	CHECK_EQ(fs_file_open_node(node, &file), 0);
	if (node->size > LARGE)
		compare_sparse(&file, fd, node->size, path);
	else
		compare_range(&file, fd, 0, node->size, path);
	if (node->size < 4000000)
		compare_lent(&file, fd, node->size, path);
	CHECK_EQ(fs_file_read_at(&file, node->size, &c, 1), 0);
	CHECK_EQ(fs_file_read_at(&file, UINT64_MAX, &c, 1), 0);
	fs_file_close(&file);
	close(fd);
}

static uint32_t type_of(mode_t mode)
{
	return S_ISREG(mode) ? FS_FILE : S_ISDIR(mode) ? FS_DIR : S_ISLNK(mode) ? FS_LINK :
	       S_ISFIFO(mode) ? FS_FIFO : S_ISSOCK(mode) ? FS_SOCKET : FS_NONE;
}

static void compare_attr(const struct stat *st, const struct fs_attr *a, const char *path)
{
	bool dir = S_ISDIR(st->st_mode), special = !strcmp(path, "sizes/61");
	bool sized = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode);

	if (a->type != type_of(st->st_mode) || a->mode != (st->st_mode & 07777))
		test_fail("%s: type %u, mode 0%o", path, a->type, a->mode);
	if (!dir && a->size != (sized ? (uint64_t)st->st_size : 0))
		test_fail("%s: size %lu", path, a->size);
	if (!special && (a->modified.seconds != st->st_mtime || a->gid != st->st_gid))
		test_fail("%s: mtime %ld, gid %u", path, a->modified.seconds, a->gid);
	if (!dir && a->links != st->st_nlink)
		test_fail("%s: %u links", path, a->links);
}

static void compare_link(const char *path)
{
	char host[5000], ours[FS_PATH_MAX], theirs[FS_PATH_MAX] = "";
	int64_t bytes = fs_path_readlink(&m.table, path, ours, sizeof ours);

	snprintf(host, sizeof host, "%s/%s", tree, path);
	CHECK_EQ(bytes, readlink(host, theirs, sizeof theirs - 1));
	CHECK_STR(ours, theirs);
	CHECK_EQ(fs_path_readlink(&m.table, path, ours, (size_t)bytes), -EXO_E_ROOM);
}

static void compare_entry(const struct fs_walk *walk)
{
	char host[5000];
	struct fs_attr attr;
	struct stat st;
	int err;

	snprintf(host, sizeof host, "%s/%s", tree, walk->path);
	if (lstat(host, &st) < 0) {
		test_fail("%s is not in the tree", walk->path);
		return;
	}
	err = fs_path_link_attr(&m.table, walk->path, &attr);
	if (err < 0 || attr.ino != walk->node.ino) {
		test_fail("%s: by its path: %s", walk->path, fs_error_text(err));
		return;
	}
	compare_attr(&st, &attr, walk->path);
	if (walk->node.type == FS_FILE)
		compare_file(&walk->node, walk->path);
	if (walk->node.type == FS_LINK)
		compare_link(walk->path);
}

/* Is it in the image only: made by mke2fs or by debugfs? */
static bool is_extra(const char *path)
{
	return !strcmp(path, "lost+found") || !strcmp(path, "console") || !strcmp(path, "disk");
}

static int host_count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path, (void)st, (void)type;
	host_entries += ftw->level > 0;
	return 0;
}

/* Each entry of the image is in the tree and equal, and there are as many. */
static void compare_tree(unsigned long removed)
{
	static struct fs_walk_level level[128];
	static struct fs_walk walk;
	unsigned long entries = 0;
	int got;

	host_entries = 0;
	nftw(tree, host_count, 64, FTW_PHYS);
	CHECK_EQ(fs_walk_start(&walk, &m.mount.fs.root, level, 128), 0);
	while ((got = fs_walk_next(&walk)) == 1) {
		if (is_extra(walk.path))
			continue;
		entries++;
		compare_entry(&walk);
	}
	if (got < 0)
		test_fail("%s: %s (%s)", walk.path, fs_error_text(got), m.mount.fs.why);
	CHECK_EQ(entries, host_entries - removed);
}

static void check_links(void)
{
	struct fs_node node;

	CHECK_EQ(fs_path_find(&m.table, "/relative", true, &node), 0);
	CHECK_EQ(node.size, 1025);
	CHECK_EQ(fs_path_find(&m.table, "/to-dir/../absolute", true, &node), 0);
	CHECK_EQ(node.size, 1);
	CHECK_EQ(fs_path_find(&m.table, "/root/root/dot/to-dir/", true, &node), 0);
	CHECK_EQ(node.type, FS_DIR);
	CHECK_EQ(fs_path_find(&m.table, "/up", true, &node), 0);
	CHECK_EQ(fs_path_find(&m.table, "/slash", true, &node), 0);
	CHECK_EQ(fs_path_find(&m.table, "/file-slash", true, &node), -FS_E_NOTDIR);
	CHECK_EQ(fs_path_find(&m.table, "/dangling", true, &node), -FS_E_NOENT);
	CHECK_EQ(fs_path_find(&m.table, "/dangling", false, &node), 0);
	CHECK_EQ(fs_path_find(&m.table, "/loop", true, &node), -FS_E_LOOP);
	CHECK_EQ(fs_path_find(&m.table, "/loop-a", true, &node), -FS_E_LOOP);
	CHECK_EQ(fs_path_find(&m.table, "/chain-39", true, &node), 0);
	CHECK_EQ(node.size, 1025);
	CHECK_EQ(fs_path_find(&m.table, "/chain-40", true, &node), -FS_E_LOOP);
	CHECK_EQ(fs_path_find(&m.table, "/sizes/1/x", true, &node), -FS_E_NOTDIR);
}

static void check_devices(bool large_inodes)
{
	struct fs_attr attr;
	struct fs_file file;

	CHECK_EQ(fs_path_attr(&m.table, "/console", &attr), 0);
	CHECK(attr.type == FS_CHAR && attr.major == 5 && attr.minor == 1);
	CHECK_EQ(fs_path_attr(&m.table, "/disk", &attr), 0);
	CHECK(attr.type == FS_BLOCK && attr.major == 254 && attr.minor == 300);
	CHECK_EQ(fs_file_open(&m.table, "/disk", &file), -FS_E_NOTFILE);
	CHECK_EQ(fs_file_open(&m.table, "/fifo", &file), -FS_E_NOTFILE);
	CHECK_EQ(fs_file_open(&m.table, "/sizes", &file), -FS_E_ISDIR);
	CHECK_EQ(fs_path_attr(&m.table, "/sizes/61", &attr), 0);
	/* 2038 and later needs the larger inode; the small one can only say 1901. */
	CHECK_EQ(attr.modified.seconds, large_inodes ? 1ll << 31 : INT32_MIN);
	CHECK_EQ(attr.uid, 131077);
	CHECK_EQ(attr.gid, 77);
}

static void check_stat(uint32_t block_bytes)
{
	struct fs_stat stat;

	CHECK_EQ(fs_path_stat(&m.table, "/sizes", &stat), 0);
	CHECK_STR(stat.type, "ext2");
	CHECK_STR(stat.label, "exo test");
	CHECK_EQ(stat.block_bytes, block_bytes);
	CHECK_EQ(stat.blocks * block_bytes, m.disk.bytes);
	CHECK(stat.free_blocks > 0 && stat.free_blocks < stat.blocks);
	CHECK_EQ(stat.unclean, 0);
}

static void check_image(const char *name, uint32_t block_bytes, uint32_t unit, bool async)
{
	if (fake_missing())
		TEST_SKIP("e2fsprogs is not installed");
	if (!mount_image(name, unit, async))
		return;
	compare_tree(!strcmp(name, "1k-holes.img") ? 1500 : 0);
	check_links();
	check_devices(!strstr(name, "128"));
	check_stat(block_bytes);
	unmount_image();
}

TEST(ext2_1k_blocks_128_inodes) { check_image("1k-128.img", 1024, 512, true); }
TEST(ext2_1k_blocks_256_inodes) { check_image("1k-256.img", 1024, 1024, false); }
TEST(ext2_2k_blocks_256_inodes) { check_image("2k-256.img", 2048, 512, true); }
TEST(ext2_4k_blocks_128_inodes) { check_image("4k-128.img", 4096, 512, false); }
TEST(ext2_4k_blocks_256_inodes) { check_image("4k-256.img", 4096, 4096, true); }
TEST(ext2_many_small_groups) { check_image("1k-groups.img", 1024, 512, true); }
TEST(ext2_indexed_directories) { check_image("2k-indexed.img", 2048, 512, true); }
TEST(ext2_without_filetype) { check_image("1k-nofiletype.img", 1024, 512, true); }
TEST(ext2_directory_with_removed_entries) { check_image("1k-holes.img", 1024, 512, true); }

/* Sequential reading asks ahead of time, in few submissions. */
TEST(ext2_reads_ahead_in_batches)
{
	static char buffer[4096];
	struct fs_file file;
	uint64_t reads;

	if (fake_missing())
		TEST_SKIP("e2fsprogs is not installed");
	if (!mount_image("4k-256.img", 512, true))
		return;
	CHECK_EQ(fs_file_open(&m.table, "/sizes/1000003", &file), 0);
	m.disk.reads = m.disk.batches = m.disk.submits = 0;
	while (fs_file_read(&file, buffer, sizeof buffer) > 0)
		;
	reads = m.disk.reads + m.disk.queued;
	CHECK(reads >= 245 && reads <= 250);
	CHECK(m.disk.batches + m.disk.submits < 40);
	CHECK(m.mount.fs.cache.stats.prefetched > 200);
	fs_file_close(&file);
	unmount_image();
}

TEST_MAIN
