/* SPDX-License-Identifier: MIT */
/*
 * table.h - memory for the tables of sets that names.c and nodes.c look things up in.
 */
#ifndef LIBFS_TABLE_H
#define LIBFS_TABLE_H

#include <libfs/device.h>

struct table {
	void    *data;
	size_t   pages;         /* a power of two; 0: there is no memory */
	uint64_t sets;          /* a power of two */
};

/*
 * Allocate at most `bytes` bytes, as sets of set_bytes (a power of two, at most a page): half as
 * much, and half of that, when memory is short.  What is in it is anything.
 */
static inline struct table table_alloc(struct fs_memory *memory, uint64_t bytes, size_t set_bytes)
{
	struct table t = { .pages = 1 };

	if (bytes < FS_PAGE_BYTES)
		return (struct table){ .pages = 0 };
	while (t.pages <= bytes / FS_PAGE_BYTES / 2)
		t.pages *= 2;
	while (t.pages && memory->ops->alloc(memory, t.pages, &t.data) < 0)
		t.pages /= 2;
	t.sets = t.pages * FS_PAGE_BYTES / set_bytes;
	return t;
}

#endif
