/* SPDX-License-Identifier: MIT */
/*
 * listing.c - reading and sorting a directory.
 */
#include "listing.h"

#include <base/sort.h>
#include <base/string.h>
#include <exos/heap.h>

/* A copy of an entry, no longer than its name. */
static struct fs_dir_entry *entry_copy(const struct fs_dir_entry *e)
{
	size_t bytes = offsetof(struct fs_dir_entry, name) + e->name_bytes + 1;
	struct fs_dir_entry *copy = malloc(bytes);

	if (copy != NULL)
		memcpy(copy, e, bytes);
	return copy;
}

static int listing_add(struct listing *list, const struct fs_dir_entry *e)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		void *more = realloc(list->entry, room * sizeof(list->entry[0]));

		if (more == NULL)
			return -FS_E_NOMEM;
		list->entry = more;
		list->room = room;
	}
	list->entry[list->count] = entry_copy(e);
	if (list->entry[list->count] == NULL)
		return -FS_E_NOMEM;
	list->count++;
	return 0;
}

static bool before(const void *left, const void *right)
{
	const struct fs_dir_entry *a = left, *b = right;

	return strcmp(a->name, b->name) < 0;
}

int listing_read(struct listing *list, struct fs_dir *dir)
{
	struct fs_dir_entry e;
	int error;

	memset(list, 0, sizeof(*list));
	while ((error = fs_dir_next(dir, &e)) > 0) {
		if (strcmp(e.name, ".") == 0 || strcmp(e.name, "..") == 0)
			continue;
		if ((error = listing_add(list, &e)) < 0)
			break;
	}
	sort_pointers((void **)list->entry, list->count, before);
	return error;
}

void listing_free(struct listing *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entry[i]);
	free(list->entry);
	memset(list, 0, sizeof(*list));
}
