/* SPDX-License-Identifier: MIT */
/*
 * image.h - the kernel's flat image: its head and what the loader must know of it.
 */
#ifndef UEFI_IMAGE_H
#define UEFI_IMAGE_H

#include "why.h"

#define IMAGE_MAGIC 0x6c6e72656b6f7865ul        /* "exokernl" */
#define IMAGE_BYTES_MAX (4ul << 20)

/*
 * First bytes of the image, virtual addresses.  From EXO_KERNEL_VA: [base, text_end) is read and
 * executed, [text_end, rodata_end) read, [rodata_end, image_end) read and written.
 */
struct image_head {
	uint64_t magic;
	uint64_t entry_va;
	uint64_t text_end;
	uint64_t rodata_end;
	uint64_t image_end;     /* end of bss, which is in the file */
};

/* Check the head of an image of `bytes` bytes. */
bool image_check(const struct image_head *h, uint64_t bytes, struct why *why);

#endif
