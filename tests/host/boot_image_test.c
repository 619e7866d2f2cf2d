/* SPDX-License-Identifier: MIT */
/*
 * boot_image_test.c - the head of the kernel's flat image, sound and with each field changed.
 */
// sources: uefi/image.c exo/base/format.c exo/base/string.c
// includes: uefi
// flags: -fno-builtin -Dmemcpy=t_memcpy -Dmemmove=t_memmove -Dmemset=t_memset -Dmemcmp=t_memcmp
// flags: -Dmemchr=t_memchr -Dstrlen=t_strlen -Dstrnlen=t_strnlen -Dstrcmp=t_strcmp
// flags: -Dstrncmp=t_strncmp -Dstrchr=t_strchr -Dstrrchr=t_strrchr
#include "image.h"
#include "test.h"

#include <exo/boot.h>

#define VA EXO_KERNEL_VA

static struct why why;

static const struct image_head sound = {
	IMAGE_MAGIC, VA + 0x40, VA + 0x8000, VA + 0xa000, VA + 0x10000,
};

static void refused(struct image_head h, uint64_t bytes, const char *words)
{
	why.text[0] = 0;
	if (image_check(&h, bytes, &why))
		test_fail("accepted, expected \"%s\"", words);
	else if (!strstr(why.text, words))
		test_fail("refused with \"%s\", expected \"%s\"", why.text, words);
}

TEST(sound_image_is_accepted)
{
	CHECK(image_check(&sound, 0x10000, &why));
	CHECK(image_check(&sound, 0xf001, &why));       /* the archive pads to the page */
}

TEST(damaged_images_are_refused)
{
	struct image_head h = sound;

	refused(h, 10, "not an exo kernel");
	h.magic++; refused(h, 0x10000, "not an exo kernel");
	refused(sound, 0xf000, "the file has");
	refused(sound, 0x10001, "the file has");
	h = sound; h.entry_va = VA + 0x8000; refused(h, 0x10000, "entry");
	h = sound; h.entry_va = VA; refused(h, 0x10000, "entry");
	h = sound; h.entry_va = 0; refused(h, 0x10000, "entry");
	h = sound; h.text_end++; refused(h, 0x10000, "end on pages");
	h = sound; h.rodata_end += 8; refused(h, 0x10000, "end on pages");
	h = sound; h.image_end += 8; refused(h, 0x10000, "end on pages");
	h = sound; h.text_end = VA; refused(h, 0x10000, "out of order");
	h = sound; h.text_end = 0; refused(h, 0x10000, "out of order");
	h = sound; h.rodata_end = VA + 0x7000; refused(h, 0x10000, "out of order");
	h = sound; h.image_end = VA + 0x9000; refused(h, 0x10000, "out of order");
	h = sound; h.image_end = VA + (5ul << 20); refused(h, 5ul << 20, "larger than");
}

TEST_MAIN
