/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ext2.c - changes to a small ext2 image: all of what is then there is read.
 *
 * The input is a list of changes, five bytes each: where (24 bits) and what (16 bits), laid over
 * an image of mke2fs; an input of an image's size is an image itself.
 */
// prepare: tests/host/gen_ext2.py small
// sources: libfs/cache.c libfs/cache_read.c libfs/device.c libfs/dir.c libfs/errors.c libfs/evict.c
// sources: libfs/cache_spare.c
// sources: libfs/ext2.c libfs/ext2_dir.c libfs/ext2_file.c libfs/ext2_inode.c libfs/ext2_map.c
// sources: libfs/ext2_super.c libfs/file.c libfs/fs.c libfs/mount.c libfs/path.c libfs/path_use.c
// sources: libfs/walk.c libfs/lookup.c libfs/names.c libfs/nodes.c exo/base/format.c
// includes: libfs/include
#include "libfs_reader.h"

#define CHANGE 5u
#define WHOLE 65536u    /* inputs from here on are images */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void change(uint8_t *image, uint64_t bytes, const uint8_t *data, size_t size)
{
	for (; size >= CHANGE; data += CHANGE, size -= CHANGE) {
		uint64_t at = (data[0] | data[1] << 8 | data[2] << 16) % (bytes - 1);

		memcpy(image + at, data + 3, 2);
	}
}

static void fuzz_changes(const char *name, const uint8_t *data, size_t size)
{
	uint64_t bytes;
	uint8_t *image = fake_image(name, true, &bytes);

	if (!image)
		return;         /* no e2fsprogs: raw images only */
	change(image, bytes, data, size);
	reader_run(image, bytes, 512, true);
	munmap(image, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= WHOLE) {
		reader_run(data, size, 1024, true);
		return 0;
	}
	fuzz_changes("small1k.img", data, size);
	fuzz_changes("small4k.img", data, size);
	return 0;
}
