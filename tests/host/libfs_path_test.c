/* SPDX-License-Identifier: MIT */
/*
 * libfs_path_test.c - the mount table and walks across mounts, links and "..".
 */
// prepare: tests/host/gen_ext2.py small
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
#include "libfs_fake.h"
#include "test.h"

static struct fake_disk disk;
static struct fake_memory memory;
static struct fs_mount_table table;
static struct fs_mount mount[6];
static struct fs_mount_options options = { .device = &disk.device, .memory = &memory.memory };

static bool start(void)
{
	static const uint8_t *image;
	static uint64_t bytes;

	if (!image)
		image = fake_image("small1k.img", false, &bytes);
	if (!image) {
		test_fail("no image small1k.img");
		return false;
	}
	fake_disk_init(&disk, image, bytes, 512, true);
	fake_memory_init(&memory, -1);
	fs_mount_table_init(&table);
	return true;
}

#define START()                                                  \
	do {                                                     \
		if (fake_missing())                              \
			TEST_SKIP("e2fsprogs is not installed"); \
		if (!start())                                    \
			return;                                  \
	} while (0)

static void add(unsigned n, const char *path)
{
	int err = fs_mount_add(&table, &mount[n], path, &options);

	if (err < 0)
		test_fail("mount at %s: %s", path, mount[n].fs.why);
}

static void remove_all(void)
{
	while (table.first) {
		char path[FS_MOUNT_PATH];

		strcpy(path, table.first->path_bytes ? table.first->path : "/");
		CHECK_EQ(fs_mount_remove(&table, path), 0);
	}
	CHECK_EQ(memory.out, 0);
}

/* A path leads to `canon` in mount n, or to an error. */
static void leads(const char *path, int error, unsigned n, const char *canon)
{
	struct fs_node node;
	int err = fs_path_find(&table, path, true, &node);

	if (err != error)
		test_fail("%s: %s, expected %s", path, fs_error_text(err), fs_error_text(error));
	else if (err == 0 && (node.fs != &mount[n].fs || strcmp(table.canon, canon)))
		test_fail("%s leads to %s, expected %s", path, table.canon, canon);
}

TEST(mount_paths_are_canonical)
{
	static const char *const bad[] = {
		"", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/.", "/a/../b", "/a/b/..",
	};
	char longer[FS_MOUNT_PATH + 1];

	START();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (fs_mount_add(&table, &mount[0], bad[i], &options) != -EXO_E_ARG)
			test_fail("\"%s\" was not refused", bad[i]);
		CHECK(mount[0].fs.why[0]);
	}
	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[FS_MOUNT_PATH] = 0;
	CHECK_EQ(fs_mount_add(&table, &mount[0], longer, &options), -FS_E_NAMETOOLONG);
	add(0, "/...");
	CHECK_EQ(fs_mount_add(&table, &mount[1], "/...", &options), -FS_E_EXISTS);
	CHECK_EQ(fs_mount_remove(&table, "/"), -FS_E_NOENT);
	remove_all();
}

TEST(mount_longest_prefix_serves)
{
	START();
	add(0, "/");
	add(1, "/a/b");
	add(2, "/a");
	CHECK(fs_mount_find(&table, "/a/b/c", 6) == &mount[1]);
	CHECK(fs_mount_find(&table, "/a/b", 4) == &mount[1]);
	CHECK(fs_mount_find(&table, "/a/bb", 5) == &mount[2]);
	CHECK(fs_mount_find(&table, "/ab", 3) == &mount[0]);
	CHECK(fs_mount_find(&table, "/", 1) == &mount[0]);
	leads("/a/b/hello", 0, 1, "/a/b/hello");
	leads("/a/hello", 0, 2, "/a/hello");
	leads("/hello", 0, 0, "/hello");
	CHECK_EQ(fs_mount_remove(&table, "/a/b"), 0);
	leads("/a/b/hello", -FS_E_NOENT, 0, "");
	leads("/a/a/b/c/deep", 0, 2, "/a/a/b/c/deep");
	remove_all();
}

TEST(mount_is_kept_while_files_are_open)
{
	struct fs_file file;
	struct fs_piece piece;
	char text[20];

	START();
	add(0, "/");
	CHECK_EQ(fs_file_open(&table, "/hello", &file), 0);
	CHECK_EQ(fs_mount_remove(&table, "/"), -FS_E_OPEN);
	CHECK_EQ(fs_file_read(&file, text, sizeof text), 13);
	CHECK_EQ(memcmp(text, "hello, world\n", 13), 0);
	CHECK_EQ(fs_file_lend(&file, 7, &piece), 1);
	CHECK_EQ(piece.bytes, 6);
	CHECK_EQ(memcmp(piece.data, "world\n", 6), 0);
	fs_file_return(&file, &piece);
	fs_file_close(&file);
	remove_all();
}

TEST(path_forms)
{
	START();
	add(0, "/");
	leads("", -EXO_E_ARG, 0, "");
	leads("/", 0, 0, "");
	leads("///", 0, 0, "");
	leads("hello", 0, 0, "/hello");
	leads("//a///b//c", 0, 0, "/a/b/c");
	leads("/a/b/", 0, 0, "/a/b");
	leads("/hello/", -FS_E_NOTDIR, 0, "");
	leads("/hello/.", -FS_E_NOTDIR, 0, "");
	leads("/hello/..", -FS_E_NOTDIR, 0, "");
	leads("/hello/x", -FS_E_NOTDIR, 0, "");
	leads("/./a/././b/../b/c/deep", 0, 0, "/a/b/c/deep");
	leads("/..", 0, 0, "");
	leads("/../../hello", 0, 0, "/hello");
	leads("/a/../..", 0, 0, "");
	leads("/nothing", -FS_E_NOENT, 0, "");
	leads("/nothing/x", -FS_E_NOENT, 0, "");
	leads("/root/root/a", 0, 0, "/a");
	leads("/fast", 0, 0, "/a/b/c/deep");
	leads("/fast/", -FS_E_NOTDIR, 0, "");
	leads("/slow", 0, 0, "/a");     /* a/../../.. up to the root and down again */
	remove_all();
}

TEST(path_use)
{
	struct fs_attr attr;
	struct fs_stat stat;
	char text[64];

	START();
	add(0, "/");
	CHECK_EQ(fs_path_readlink(&table, "/fast", text, sizeof text), 10);
	CHECK_STR(text, "a/b/c/deep");
	CHECK_EQ(fs_path_readlink(&table, "/fast", text, 11), 10);
	CHECK_EQ(fs_path_readlink(&table, "/fast", text, 10), -EXO_E_ROOM);
	CHECK_EQ(fs_path_readlink(&table, "/fast", text, 0), -EXO_E_ROOM);
	CHECK_EQ(fs_path_readlink(&table, "/hello", text, sizeof text), -FS_E_NOTLINK);
	CHECK_EQ(fs_path_readlink(&table, "/none", text, sizeof text), -FS_E_NOENT);
	CHECK_EQ(fs_path_attr(&table, "/fast", &attr), 0);
	CHECK_EQ(attr.type, FS_FILE);
	CHECK_EQ(fs_path_link_attr(&table, "/fast", &attr), 0);
	CHECK_EQ(attr.type, FS_LINK);
	CHECK_EQ(fs_path_stat(&table, "/fast", &stat), 0);
	CHECK_EQ(fs_path_stat(&table, "/none", &stat), -FS_E_NOENT);
	strcpy(mount[0].fs.why, "ext2: words");
	CHECK_STR(fs_path_why(&table), "ext2: words");
	remove_all();
	CHECK_EQ(fs_path_attr(&table, "/", &attr), -FS_E_NOENT);
	CHECK_STR(fs_path_why(&table), "");
}

TEST(path_lengths)
{
	static char path[3 * FS_PATH_MAX];
	struct fs_node node;

	START();
	add(0, "/");
	for (unsigned i = 0; i < FS_PATH_MAX - 2; i += 2)
		memcpy(path + i, "./", 3);
	CHECK_EQ(fs_path_find(&table, path, true, &node), 0);
	strcat(path, "././");
	CHECK_EQ(fs_path_find(&table, path, true, &node), -FS_E_NAMETOOLONG);
	memset(path, 'n', sizeof path - 1);
	CHECK_EQ(fs_path_find(&table, path, true, &node), -FS_E_NAMETOOLONG);
	path[FS_NAME_MAX + 1] = 0;
	CHECK_EQ(fs_path_find(&table, path, true, &node), -FS_E_NAMETOOLONG);
	path[FS_NAME_MAX] = 0;
	CHECK_EQ(fs_path_find(&table, path, true, &node), -FS_E_NOENT);
	/* A link that grows the path beyond its bound. */
	memcpy(path, "/slow/", 6);
	for (unsigned i = 6; i < FS_PATH_MAX - 30; i += 2)
		memcpy(path + i, "./", 3);
	CHECK_EQ(fs_path_find(&table, path, true, &node), -FS_E_NAMETOOLONG);
	remove_all();
}

TEST(path_without_a_root)
{
	START();
	add(0, "/disk/one");
	add(1, "/disk/two");
	leads("/disk/one/hello", 0, 0, "/disk/one/hello");
	leads("/disk/two/../one/hello", 0, 0, "/disk/one/hello");
	leads("/disk/../disk/one", 0, 0, "/disk/one");
	leads("/", -FS_E_NOENT, 0, "");
	leads("/disk", -FS_E_NOENT, 0, "");
	leads("/disk/three", -FS_E_NOENT, 0, "");
	leads("/dis", -FS_E_NOENT, 0, "");
	leads("/disk/one/root", -FS_E_NOENT, 0, "");    /* an absolute link: the table's root */
	remove_all();
	leads("/x", -FS_E_NOENT, 0, "");
}

TEST(path_out_of_a_mount)
{
	START();
	add(0, "/");
	add(1, "/a/b");
	add(2, "/not/there");
	leads("/a/b/..", 0, 0, "/a");
	leads("/a/b/../b/a/../../../hello", 0, 0, "/hello");
	leads("/a/b/a/../..", 0, 0, "/a");
	leads("/not/there/hello", 0, 2, "/not/there/hello");
	leads("/not/there/../there/a", 0, 2, "/not/there/a");
	leads("/not/there/..", -FS_E_NOENT, 0, "");
	leads("/not/there/../../hello", 0, 0, "/hello");
	leads("/not/elsewhere", -FS_E_NOENT, 0, "");
	leads("/a/b/root/a", 0, 0, "/a");
	leads("/a/b/fast", 0, 1, "/a/b/a/b/c/deep");
	remove_all();
}

/* A mount whose path leads over a link of the file system below still serves its path. */
TEST(path_mount_over_a_link)
{
	START();
	add(0, "/");
	add(1, "/root/here");
	add(2, "/hello");
	leads("/root/here/hello", 0, 1, "/root/here/hello");
	leads("/hello/a", 0, 2, "/hello/a");
	remove_all();
}

TEST(dir_positions_and_rewind)
{
	struct fs_dir dir;
	struct fs_dir_entry entry;
	struct fs_node node, again;
	char longer[FS_NAME_MAX + 2] = "";
	unsigned first = 0, second = 0;
	int got;

	START();
	add(0, "/");
	CHECK_EQ(fs_dir_open(&table, "/hello", &dir), -FS_E_NOTDIR);
	CHECK_EQ(fs_dir_open(&table, "/many", &dir), 0);
	while ((got = fs_dir_next(&dir, &entry)) == 1) {
		first++;
		CHECK_EQ(fs_dir_node(&dir, &entry, &node), 0);
		CHECK_EQ(fs_dir_lookup(&dir, entry.name, &again), 0);
		CHECK(node.ino == again.ino && node.type == entry.type);
	}
	CHECK_EQ(got, 0);
	CHECK_EQ(first, 42);
	fs_dir_rewind(&dir);
	while (fs_dir_next(&dir, &entry) == 1)
		second++;
	CHECK_EQ(second, first);
	CHECK_EQ(fs_dir_lookup(&dir, "absent", &node), -FS_E_NOENT);
	CHECK_EQ(fs_dir_lookup(&dir, "", &node), -EXO_E_ARG);
	CHECK_EQ(fs_dir_lookup(&dir, "a/b", &node), -EXO_E_ARG);
	memset(longer, 'n', FS_NAME_MAX + 1);
	CHECK_EQ(fs_dir_lookup(&dir, longer, &node), -FS_E_NAMETOOLONG);
	CHECK_EQ(fs_dir_lookup(&dir, longer + 1, &node), -FS_E_NOENT);
	dir.position = 2;
	CHECK_EQ(fs_dir_next(&dir, &entry), -EXO_E_ARG);
	dir.position = UINT64_MAX - 3;
	CHECK_EQ(fs_dir_next(&dir, &entry), 0);
	fs_dir_close(&dir);
	remove_all();
}

TEST(walk_levels_and_skip)
{
	static struct fs_walk walk;
	struct fs_walk_level level[2];
	unsigned errors = 0, many = 0, all = 0;
	int got;

	START();
	add(0, "/");
	CHECK_EQ(fs_walk_start(&walk, &mount[0].fs.root, level, 0), -EXO_E_ARG);
	CHECK_EQ(fs_walk_start(&walk, &mount[0].fs.root, level, 2), 0);
	while ((got = fs_walk_next(&walk)) != 0) {
		all++;
		if (got == -FS_E_NAMETOOLONG) {
			CHECK_STR(walk.path, "a/b");
			errors++;
		}
		if (!strcmp(walk.path, "many"))
			fs_walk_skip(&walk);
		many += !strncmp(walk.path, "many/", 5);
	}
	CHECK_EQ(errors, 1);    /* a/b is too deep; what follows is walked all the same */
	CHECK_EQ(many, 0);
	CHECK_EQ(all, 13);
	remove_all();
}

TEST_MAIN
