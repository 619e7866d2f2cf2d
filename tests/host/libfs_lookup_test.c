/* SPDX-License-Identifier: MIT */
/*
 * libfs_lookup_test.c - names, nodes and places that are remembered, on images that lie and devices
 * that fail: what is remembered is never other than what would be read.
 */
// prepare: tests/host/gen_ext2.py small
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/cache_spare.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
// timeout: 240
#include "libfs_hostile.h"

/* The same image twice: with much memory for names and nodes, and with as little as can be. */
struct side {
	struct fake_disk disk;
	struct fake_memory memory;
	struct fs_mount_table table;
	struct fs_mount mount;
};
static struct side much, little;

static void side_start(struct side *s, uint64_t table_bytes, uint64_t cache_bytes)
{
	struct fs_mount_options options = {
		.device = &s->disk.device, .memory = &s->memory.memory,
		.cache_bytes = cache_bytes, .table_bytes = table_bytes,
	};

	fake_disk_init(&s->disk, image, image_bytes, 512, true);
	fake_memory_init(&s->memory, -1);
	fs_mount_table_init(&s->table);
	CHECK_EQ(fs_mount_add(&s->table, &s->mount, "/", &options), 0);
}

static void side_end(struct side *s)
{
	CHECK_EQ(fs_mount_remove(&s->table, "/"), 0);
	CHECK_EQ(s->memory.out, 0);
}

/* The first block of a directory in the image. */
static uint64_t dir_at(const char *path)
{
	return get(inode_at(ino_of(path)) + I_BLOCK(0), 4) * 1024ul;
}

/* The entry of a name in a directory block. */
static uint64_t entry_at(uint64_t dir, const char *name)
{
	for (uint64_t at = dir; at < dir + 1024; at += get(at + 4, 2))
		if (get(at + 6, 1) == strlen(name) && !memcmp(image + at + 8, name, strlen(name)))
			return at;
	test_fail("no entry %s", name);
	return dir;
}

static uint64_t leads(struct side *s, const char *path, int error)
{
	struct fs_node node = { .ino = 0 };
	int err = fs_path_find(&s->table, path, true, &node);

	if (err != error)
		test_fail("%s: %d (%s), expected %d", path, err, s->mount.fs.why, error);
	return err ? 0 : node.ino;
}

TEST(lookup_reads_nothing_twice)
{
	uint64_t reads, hits;

	LOAD("small1k.img");
	side_start(&much, 1 << 16, 16 * 1024);
	CHECK_EQ(much.mount.fs.names.pages, 16);
	leads(&much, "/a/b/c/deep", 0);
	leads(&much, "/a/b/c/none", -FS_E_NOENT);
	/* Push out all blocks: what follows comes from the tables. */
	leads(&much, "/triple", 0);
	for (unsigned n = 0; n < 40; n++) {
		char path[64];

		snprintf(path, sizeof path, "/many/a name of some length %u", n);
		leads(&much, path, 0);
	}
	reads = much.disk.reads;
	hits = much.mount.fs.names.hits;
	much.disk.fail_hi = UINT64_MAX;
	for (unsigned n = 0; n < 1000; n++) {
		leads(&much, "/a/b/c/deep", 0);
		leads(&much, "/a/b/c/none", -FS_E_NOENT);
	}
	CHECK_EQ(much.disk.reads, reads);
	CHECK_EQ(much.mount.fs.names.hits, hits + 8000);
	side_end(&much);
}

/* Every name of a directory is one inode: each opens it, and opens know nothing of each other. */
TEST(lookup_one_inode_under_many_names)
{
	uint64_t hello, many, first;
	struct fs_file file[20];
	char path[64], text[16];

	LOAD("small1k.img");
	hello = ino_of("/hello");
	many = inode_at(ino_of("/many"));
	for (unsigned i = 0; i < get(many + I_SIZE, 4) / 1024; i++) {
		first = get(many + I_BLOCK(i), 4) * 1024ul;
		for (uint64_t at = first + (i ? 0 : 24); at < first + 1024; at += get(at + 4, 2))
			put(at, 4, (uint32_t)hello);
	}
	side_start(&much, 1 << 16, 1 << 20);
	for (unsigned n = 0; n < 20; n++) {
		snprintf(path, sizeof path, "/many/a name of some length %u", n % 10);
		CHECK_EQ(leads(&much, path, 0), hello);
		CHECK_EQ(fs_file_open(&much.table, path, &file[n]), 0);
		CHECK_EQ(fs_file_read(&file[n], text, n % 13), n % 13);
	}
	CHECK_EQ(fs_mount_remove(&much.table, "/"), -FS_E_OPEN);
	for (unsigned n = 0; n < 20; n++) {
		CHECK_EQ(fs_file_read(&file[n], text, sizeof text), 13 - n % 13);
		CHECK(memcmp(text, "hello, world\n" + n % 13, 13 - n % 13) == 0);
		fs_file_close(&file[n]);
	}
	side_end(&much);
}

/* A directory that contains one above it: paths through it end where their names do. */
TEST(lookup_directory_in_a_loop)
{
	uint64_t c, top;
	char path[FS_PATH_MAX] = "";

	LOAD("small1k.img");
	c = ino_of("/a/b/c");
	top = ino_of("/a");
	put(entry_at(dir_at("/a/b/c"), "deep"), 4, (uint32_t)top);
	side_start(&much, 1 << 16, 1 << 20);
	side_start(&little, 1, 1 << 20);
	strcpy(path, "/a/b/c");
	for (unsigned n = 0; n < 300; n++) {
		CHECK_EQ(leads(&much, path, 0), c);
		CHECK_EQ(leads(&little, path, 0), c);
		CHECK_STR(much.table.canon, path);
		strcat(path, "/deep/b/c");
	}
	strcpy(path, "/a/b/c/deep/b/c/deep/../hello");
	CHECK_EQ(leads(&much, path, 0), ino_of("/hello"));
	CHECK_EQ(leads(&much, "/a/b/c/deep/..", 0), 2);
	reader_run(image, image_bytes, 512, true);
	side_end(&much);
	side_end(&little);
}

static const char *const parts[] = {
	"a", "b", "c", "deep", "many", "hello", "nope", "..", ".", "fast", "slow", "root", "triple",
	"a name of some length 3", "a name of some length 17", "a name of some length 39",
	"a name of some length that nobody has ever given to anything", "", "lost+found",
};

static void path_make(char *path, uint64_t *seed)
{
	unsigned n = 1 + (unsigned)(*seed >> 20) % 7;

	*path = 0;
	for (unsigned i = 0; i < n; i++) {
		*seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
		strcat(path, "/");
		strcat(path, parts[(*seed >> 33) % (sizeof parts / sizeof parts[0])]);
	}
}

/* The same by the file system's own search, name by name; 1: it goes by a link. */
static int plain_find(struct side *s, const char *path, struct fs_node *out)
{
	struct fs *fs = &s->mount.fs;
	struct fs_node dir = fs->root;

	while (*path) {
		size_t bytes = strcspn(path += *path == '/', "/");
		int err;

		*out = dir;
		if (bytes == 0 && *path)
			continue;
		if (bytes == 0)
			return dir.type == FS_DIR ? 0 : dir.type == FS_LINK ? 1 : -FS_E_NOTDIR;
		if (dir.type != FS_DIR)
			return dir.type == FS_LINK ? 1 : -FS_E_NOTDIR;
		err = fs->ops->lookup(fs, &dir, path, bytes, out);
		if (err < 0)
			return err;
		dir = *out;
		path += bytes;
	}
	return dir.type == FS_LINK ? 1 : 0;
}

/* A device in whose use, now and then, somebody says that all is to be forgotten. */
static int forgetting_run(struct fs_device *device, struct fs_request *const *request, size_t n)
{
	if (much.disk.batches % 50 == 0)
		much.mount.fs.cache.epoch++;
	return fake_run(device, request, n);
}

static const struct fs_device_ops forgetting_ops = {
	.run = forgetting_run, .submit = fake_submit, .poll = fake_poll,
};

/* Random paths, forgetting and failing devices between them: all three ways lead to the same. */
TEST(lookup_random_paths)
{
	unsigned long found = 0, none = 0, links = 0, failed = 0;
	char path[FS_PATH_MAX];
	uint64_t seed = 1;

	LOAD("small1k.img");
	side_start(&much, 1 << 14, 24 * 1024);
	side_start(&little, 1, 16 * 1024);
	much.disk.device.ops = &forgetting_ops;
	for (unsigned step = 0; step < 40000; step++) {
		struct fs_node one = { .ino = 0 }, two = { .ino = 0 }, three = { .ino = 0 };
		int err, err_little, plain;

		path_make(path, &seed);
		much.disk.fail_at = seed >> 40 & 7 ? 0 : much.disk.reads + 1;
		err = fs_path_find(&much.table, path, true, &one);
		much.disk.fail_at = 0;
		if (err == -FS_E_IO) {
			failed++;
			err = fs_path_find(&much.table, path, true, &one);
		}
		err_little = fs_path_find(&little.table, path, true, &two);
		plain = plain_find(&little, path, &three);
		if (err != err_little || one.ino != two.ino ||
		    (err == 0 && strcmp(much.table.canon, little.table.canon)))
			test_fail("%s: %d %lu, %d %lu", path, err, one.ino, err_little, two.ino);
		if (plain != 1 && (plain != err || (err == 0 && three.ino != one.ino)))
			test_fail("%s: %d %lu, read %d %lu", path, err, one.ino, plain, three.ino);
		found += err == 0;
		none += err == -FS_E_NOENT;
		links += plain == 1;
		if ((seed >> 50) % 64 == 0)
			fs_cache_forget(&(seed >> 60 & 1 ? &much : &little)->mount.fs.cache);
	}
	CHECK(found > 3000 && none > 3000 && links > 1000 && failed > 50);
	CHECK(2 * much.mount.fs.names.hits > much.mount.fs.names.misses);
	side_end(&much);
	side_end(&little);
}

/* What changes on the device is seen when the cache is told to forget, and in all of its parts. */
TEST(lookup_forgets_with_the_cache)
{
	struct fs_file file;
	uint64_t entry, hello, deep;
	char text[16];

	LOAD("small1k.img");
	hello = ino_of("/hello");
	deep = ino_of("/a/b/c/deep");
	entry = entry_at(dir_at("/"), "hello");
	side_start(&much, 1 << 16, 1 << 20);
	CHECK_EQ(leads(&much, "/hello", 0), hello);
	leads(&much, "/jello", -FS_E_NOENT);
	CHECK_EQ(fs_file_open(&much.table, "/hello", &file), 0);
	CHECK_EQ(fs_file_read_at(&file, 0, text, 5), 5);
	put(entry + 8, 1, 'j');
	put(inode_at(deep) + I_SIZE, 4, 3);
	CHECK_EQ(leads(&much, "/hello", 0), hello);
	leads(&much, "/jello", -FS_E_NOENT);
	CHECK_EQ(fs_cache_forget(&much.mount.fs.cache), 0);
	leads(&much, "/hello", -FS_E_NOENT);
	CHECK_EQ(leads(&much, "/jello", 0), hello);
	CHECK_EQ(fs_file_read_at(&file, 0, text, 16), 13);
	fs_file_close(&file);
	CHECK_EQ(fs_file_open(&much.table, "/a/b/c/deep", &file), 0);
	CHECK_EQ(fs_file_read_at(&file, 0, text, 16), 3);
	fs_file_close(&file);
	side_end(&much);
}

/* So does an open file: where its blocks lie is read again. */
TEST(lookup_forgets_where_a_file_lies)
{
	struct fs_file file;
	uint64_t indirect;
	uint32_t one, two;
	char first[64], second[64], text[64];

	LOAD("small1k.img");
	indirect = get(inode_at(ino_of("/indirect")) + I_BLOCK(12), 4) * 1024ul;
	one = get(indirect + 4, 4);
	two = get(indirect + 8, 4);
	memcpy(first, image + one * 1024ul, 64);
	memcpy(second, image + two * 1024ul, 64);
	side_start(&much, 1 << 16, 1 << 20);
	CHECK_EQ(fs_file_open(&much.table, "/indirect", &file), 0);
	CHECK_EQ(fs_file_read_at(&file, 13 * 1024, text, 64), 64);
	CHECK(memcmp(text, first, 64) == 0);
	put(indirect + 4, 4, two);
	CHECK_EQ(fs_file_read_at(&file, 13 * 1024, text, 64), 64);
	CHECK(memcmp(text, first, 64) == 0);
	CHECK_EQ(fs_cache_forget(&much.mount.fs.cache), 0);
	CHECK_EQ(fs_file_read_at(&file, 13 * 1024, text, 64), 64);
	CHECK(memcmp(text, second, 64) == 0);
	fs_file_close(&file);
	side_end(&much);
}

/* Neither "cannot be read" nor "damaged" is remembered as an answer. */
TEST(lookup_failures_are_not_kept)
{
	uint64_t mode;

	LOAD("small1k.img");
	mode = inode_at(ino_of("/a/b")) + I_MODE;
	side_start(&much, 1 << 16, 1 << 20);
	much.disk.fail_hi = UINT64_MAX;
	leads(&much, "/a/b/c/deep", -FS_E_IO);
	leads(&much, "/none", -FS_E_IO);
	much.disk.fail_hi = 0;
	leads(&much, "/none", -FS_E_NOENT);
	leads(&much, "/a", 0);
	CHECK_EQ(fs_cache_forget(&much.mount.fs.cache), 0);
	put(mode, 2, 0x7000);
	leads(&much, "/a/b/c/deep", -FS_E_CORRUPT);
	leads(&much, "/a/b/c/deep", -FS_E_CORRUPT);
	put(mode, 2, 0x41ed);
	CHECK_EQ(fs_cache_forget(&much.mount.fs.cache), 0);
	leads(&much, "/a/b/c/deep", 0);
	side_end(&much);
}

/* A file of the tree that the images were made of. */
static uint64_t original(const char *name, uint8_t **data)
{
	char path[64];
	uint64_t bytes = 0;

	snprintf(path, sizeof path, "small/%s", name);
	*data = fake_image(path, true, &bytes);
	if (!*data)
		test_fail("no file %s", path);
	return bytes;
}

static void block_swap(uint8_t *data, unsigned a, unsigned b)
{
	uint8_t spare[1024];

	memcpy(spare, data + a * 1024, 1024);
	memcpy(data + a * 1024, data + b * 1024, 1024);
	memcpy(data + b * 1024, spare, 1024);
}

/* Scatter a file over the disk by swapping the numbers of its blocks, and its bytes as well. */
static void scatter(const char *path, uint8_t *data, unsigned blocks)
{
	uint64_t inode = inode_at(ino_of(path)), indirect = get(inode + I_BLOCK(12), 4) * 1024ul;

	for (unsigned i = 0; i < blocks; i += 2) {
		unsigned other = (i * 7 + 3) % blocks;
		uint64_t a = i < 12 ? inode + I_BLOCK(i) : indirect + 4 * (i - 12);
		uint64_t b = other < 12 ? inode + I_BLOCK(other) : indirect + 4 * (other - 12);
		uint32_t one = get(a, 4);

		put(a, 4, get(b, 4));
		put(b, 4, one);
		block_swap(data, i, other);
	}
}

/* Two opens of one file, read here and there and in order, with little cache: always its bytes. */
static void read_randomly(const char *path, const uint8_t *data, uint64_t bytes)
{
	static uint8_t out[READER_BYTES];
	struct fs_file file[2];
	uint64_t seed = bytes;

	side_start(&much, 1 << 14, 40 * 1024);
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(fs_file_open(&much.table, path, &file[i]), 0);
	for (unsigned step = 0; step < 20000; step++) {
		struct fs_file *f = &file[step / 3 % 2];
		uint64_t at, want;
		int64_t got;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		at = seed >> 61 ? f->position : (seed >> 20) % (bytes + 100);
		want = (seed >> 45) % (seed >> 58 & 1 ? 9000 : 1500);
		got = fs_file_read_at(f, at, out, want);
		if (at >= bytes || want == 0) {
			CHECK_EQ(got, 0);
			f->position = 0;
			continue;
		}
		if (got <= 0 || (uint64_t)got > want || (uint64_t)got > bytes - at ||
		    memcmp(out, data + at, (size_t)got) != 0)
			test_fail("%s, step %u: %ld of %lu bytes at %lu", path, step, (long)got,
				  want, at);
		f->position = at + (uint64_t)got;
		if (seed % 500 == 0)
			fs_cache_forget(&much.mount.fs.cache);
	}
	for (unsigned i = 0; i < 2; i++)
		fs_file_close(&file[i]);
	side_end(&much);
}

TEST(lookup_runs_of_scattered_files)
{
	uint8_t *data;
	uint64_t bytes;

	LOAD("small1k.img");
	bytes = original("double", &data);
	read_randomly("/double", data, bytes);
	munmap(data, bytes);
	bytes = original("indirect", &data);
	read_randomly("/indirect", data, bytes);
	scatter("/indirect", data, 29);
	read_randomly("/indirect", data, bytes);
	munmap(data, bytes);
	if (!load("small4k.img"))
		return;
	bytes = original("double", &data);
	read_randomly("/double", data, bytes);
	munmap(data, bytes);
}

/* Reading ahead rests while all is there, and begins again when it is not. */
TEST(lookup_reads_ahead_when_needed)
{
	struct fs_file file;
	uint64_t submits, misses;

	LOAD("small1k.img");
	/* 40 blocks: ten at most are read ahead at once. */
	side_start(&much, 1 << 14, 40 * 1024);
	CHECK_EQ(fs_file_open(&much.table, "/indirect", &file), 0);
	misses = much.mount.fs.cache.stats.misses;
	while (fs_file_read(&file, reader_buffer, 1000) > 0)
		;
	/* Only the first block was waited for. */
	CHECK_EQ(much.mount.fs.cache.stats.misses - misses, 1);
	submits = much.disk.submits;
	CHECK(submits > 0);
	file.position = 0;
	while (fs_file_read(&file, reader_buffer, 1000) > 0)
		;
	CHECK_EQ(much.disk.submits, submits);
	CHECK_EQ(fs_cache_forget(&much.mount.fs.cache), 0);
	file.position = 0;
	while (fs_file_read(&file, reader_buffer, 1000) > 0)
		;
	CHECK(much.disk.submits > submits);
	fs_file_close(&file);
	side_end(&much);
}

TEST_MAIN
