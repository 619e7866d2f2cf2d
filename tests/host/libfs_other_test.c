/* SPDX-License-Identifier: MIT */
/*
 * libfs_other_test.c - images that mke2fs makes with other features: read where that is right,
 * else refused by the feature's name; and devices that carry no ext2 at all.
 */
// prepare: tests/host/gen_ext2.py other
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
#include "libfs_reader.h"
#include "test.h"

/* Read all of an image: it must mount with `error` and give `word` as the reason. */
static void check(const char *name, int error, const char *word)
{
	uint64_t bytes;
	uint8_t *image;

	if (fake_missing())
		TEST_SKIP("e2fsprogs is not installed");
	image = fake_image(name, false, &bytes);
	if (!image) {
		test_fail("no image %s", name);
		return;
	}
	reader_run(image, bytes, 512, true);
	if (reader.err != error || !strstr(reader.mount.fs.why, word))
		test_fail("%s: %s (%s)", name, fs_error_text(reader.err), reader.mount.fs.why);
	if (error == 0)
		CHECK(reader.entries > 50 && reader.bytes > 200000);
	munmap(image, bytes);
}

TEST(other_ext3_clean_is_read) { check("ext3.img", 0, ""); }
TEST(other_read_only_compatible_is_read) { check("csum.img", 0, ""); }
TEST(other_quota_is_read) { check("quota.img", 0, ""); }
TEST(other_ext3_to_recover)
{
	check("ext3-dirty.img", -FS_E_UNSUPPORTED, "needs_recovery; e2fsck");
}
TEST(other_ext4) { check("ext4.img", -FS_E_UNSUPPORTED, "extent 64bit flex_bg"); }
TEST(other_extent) { check("extent.img", -FS_E_UNSUPPORTED, "extent"); }
TEST(other_64bit) { check("64bit.img", -FS_E_UNSUPPORTED, "64bit"); }
TEST(other_inline_data) { check("inline.img", -FS_E_UNSUPPORTED, "inline_data"); }
TEST(other_meta_bg) { check("meta_bg.img", -FS_E_UNSUPPORTED, "meta_bg"); }
TEST(other_flex_bg) { check("flex_bg.img", -FS_E_UNSUPPORTED, "flex_bg"); }
TEST(other_mmp) { check("mmp.img", -FS_E_UNSUPPORTED, "mmp"); }
TEST(other_large_dir) { check("large_dir.img", -FS_E_UNSUPPORTED, "large_dir"); }
TEST(other_encrypt) { check("encrypt.img", -FS_E_UNSUPPORTED, "encrypt"); }
TEST(other_blocks_of_64k) { check("64k.img", -FS_E_UNSUPPORTED, "blocks of 2^16"); }
TEST(other_noise) { check("noise.img", -FS_E_NOTFS, "known kind"); }
TEST(other_device_too_small) { check("empty.img", -FS_E_NOTFS, "known kind"); }

/* A device whose blocks are larger than the file system's cannot serve it. */
TEST(other_device_blocks_too_large)
{
	uint64_t bytes;
	uint8_t *image;

	if (fake_missing())
		TEST_SKIP("e2fsprogs is not installed");
	image = fake_image("ext3.img", false, &bytes);
	REQUIRE(image);
	reader_run(image, bytes, 4096, false);
	CHECK_EQ(reader.err, -FS_E_UNSUPPORTED);
	CHECK(strstr(reader.mount.fs.why, "smaller than the device's"));
	reader_run(image, bytes, 1024, false);
	CHECK_EQ(reader.err, 0);
	munmap(image, bytes);
}

TEST_MAIN
