/* SPDX-License-Identifier: MIT */
/*
 * table.h - memory for the tables of sets that names.c and nodes.c look things up in.
 */
#ifndef LIBFS_TABLE_H
#define LIBFS_TABLE_H

#include <base/string.h>
#include <libfs/device.h>

struct table {
	void    *data;
	size_t   pages;         /* a power of two; 0: it is the one set it was given */
	uint64_t sets;          /* a power of two */
};

/*
 * Make an empty table of at most `bytes` bytes, as sets of set_bytes (a power of two, at most a
 * page): half as much, and half of that, when memory is short; in the end the one set `least`.
 */
static inline struct table table_make(struct fs_memory *memory, uint64_t bytes, void *least,
				      size_t set_bytes)
{
	struct table t = { .pages = bytes >= FS_PAGE_BYTES };

	while (t.pages && t.pages <= bytes / FS_PAGE_BYTES / 2)
		t.pages *= 2;
	while (t.pages && memory->ops->alloc(memory, t.pages, &t.data) < 0)
		t.pages /= 2;
	if (!t.pages)
		t.data = least;
	t.sets = t.pages ? t.pages * FS_PAGE_BYTES / set_bytes : 1;
	memset(t.data, 0, t.sets * set_bytes);
	return t;
}

#endif
