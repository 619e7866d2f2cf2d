/* SPDX-License-Identifier: MIT */
/*
 * disk_memory.c - memory for caches out of the program's own frames, mapped for good.
 *
 * Invariant: a run is consecutive frames at consecutive addresses; the handle of a page is its
 * frame number.
 */
#include <exo/cap.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <libfs/disk.h>
#include <libfs/errors.h>

static int memory_alloc(struct fs_memory *memory, size_t pages, void **data)
{
	exo_slot claim;
	uint64_t pfn;

	(void)memory;
	if (exos_frame_alloc(pages, &pfn, &claim) < 0)
		return -FS_E_NOMEM;
	*data = exos_space_window(claim, pfn, pages, EXO_R_READ | EXO_R_WRITE, NULL);
	if (*data)
		return 0;
	exos_frame_free(pfn, pages);
	return -FS_E_NOMEM;
}

static uint64_t memory_handle(struct fs_memory *memory, const void *page)
{
	(void)memory;
	return exos_space_frame((uint64_t)page);
}

static void memory_free(struct fs_memory *memory, void *data, size_t pages)
{
	uint64_t pfn = memory_handle(memory, data);

	exos_space_window_end(data, pages);
	exos_frame_free(pfn, pages);
}

static const struct fs_memory_ops memory_ops = {
	.alloc = memory_alloc,
	.free = memory_free,
	.handle = memory_handle,
};

struct fs_memory fs_disk_memory = { .ops = &memory_ops };
