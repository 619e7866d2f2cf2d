/* SPDX-License-Identifier: MIT */
/*
 * listing.c - reading and sorting a directory.
 */
#include "listing.h"

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

/* Let entry i sink to its place in the heap of the first n entries. */
static void heap_sink(struct fs_dir_entry **a, size_t i, size_t n)
{
	struct fs_dir_entry *e = a[i];

	for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
		if (child + 1 < n && strcmp(a[child]->name, a[child + 1]->name) < 0)
			child++;
		if (strcmp(e->name, a[child]->name) >= 0)
			break;
		a[i] = a[child];
		i = child;
	}
	a[i] = e;
}

static void listing_sort(struct listing *list)
{
	struct fs_dir_entry **a = list->entry;

	for (size_t i = list->count / 2; i-- > 0;)
		heap_sink(a, i, list->count);
	for (size_t n = list->count; n-- > 1;) {
		struct fs_dir_entry *last = a[n];

		a[n] = a[0];
		a[0] = last;
		heap_sink(a, 0, n);
	}
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
	listing_sort(list);
	return error;
}

void listing_free(struct listing *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entry[i]);
	free(list->entry);
	memset(list, 0, sizeof(*list));
}
