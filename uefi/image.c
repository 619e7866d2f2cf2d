/* SPDX-License-Identifier: MIT */
/*
 * image.c - the kernel's flat image.
 *
 * Invariant: an image that passed has its parts in order, each a whole number of pages, all of it
 * in the file, and an entry inside its text.  Knows no firmware.
 */
#include "image.h"

#include <exo/boot.h>

#include <base/util.h>

enum { PAGE = 4096 };

static bool parts_check(const struct image_head *h, struct why *why)
{
	if (h->text_end % PAGE || h->rodata_end % PAGE || h->image_end % PAGE)
		return refuse(why, "exo.kernel: its parts do not end on pages");
	if (h->text_end <= EXO_KERNEL_VA || h->rodata_end < h->text_end ||
	    h->image_end < h->rodata_end)
		return refuse(why, "exo.kernel: its parts are out of order");
	if (h->entry_va < EXO_KERNEL_VA + sizeof(*h) || h->entry_va >= h->text_end)
		return refuse(why, "exo.kernel: its entry 0x%lx is not in its text", h->entry_va);
	return true;
}

bool image_check(const struct image_head *h, uint64_t bytes, struct why *why)
{
	if (bytes < sizeof(*h) || h->magic != IMAGE_MAGIC)
		return refuse(why, "exo.kernel: not an exo kernel image");
	if (!parts_check(h, why))
		return false;
	if (h->image_end - EXO_KERNEL_VA > IMAGE_BYTES_MAX)
		return refuse(why, "exo.kernel: larger than %lu bytes", IMAGE_BYTES_MAX);
	if (h->image_end - EXO_KERNEL_VA != round_up(bytes, PAGE))
		return refuse(why, "exo.kernel: its head says %lu bytes, the file has %lu",
			      h->image_end - EXO_KERNEL_VA, bytes);
	return true;
}
