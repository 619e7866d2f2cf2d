/* SPDX-License-Identifier: MIT */
/*
 * listing.c - reading and sorting a directory.
 */
#include "listing.h"

#include <base/sort.h>
#include <base/string.h>
#include <exos/heap.h>
#include <libfs/dir.h>

/* Memory of an entry: itself, its place in the list, the heap's tag. */
static size_t entry_bytes(size_t name_bytes)
{
	return sizeof(struct listing_entry) + name_bytes + 1 + 2 * sizeof(void *) + 32;
}

static int listing_add(struct listing *list, struct listing_entry *e)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		void *more = realloc(list->entry, room * sizeof(list->entry[0]));

		if (more == NULL)
			return -FS_E_NOMEM;
		list->entry = more;
		list->room = room;
	}
	list->entry[list->count++] = e;
	list->bytes += entry_bytes(e->name_bytes);
	return 0;
}

/* What a link leads to, by way of its path: links are followed as a request for it would. */
static void entry_follow(struct site *site, const struct fs_dir_entry *e, struct fs_node *node)
{
	struct path *p = &site->path;

	node->type = FS_NONE;
	if (e->name_bytes >= sizeof(p->at) - p->bytes)
		return;
	memcpy(p->at + p->bytes, e->name, e->name_bytes + 1);
	if (fs_path_find(&site->table, p->at, true, node) < 0)
		node->type = FS_NONE;
	p->at[p->bytes] = '\0';
}

/* An entry that cannot be looked at is listed all the same: with its name only. */
static struct listing_entry *entry_make(struct site *site, struct fs_dir *dir,
					const struct fs_dir_entry *e)
{
	struct listing_entry *out = malloc(sizeof(*out) + e->name_bytes + 1);
	struct fs_node node;
	struct fs_attr attr;

	if (out == NULL)
		return NULL;
	memset(out, 0, sizeof(*out));
	out->name_bytes = (uint8_t)e->name_bytes;
	memcpy(out->name, e->name, e->name_bytes + 1);
	if (fs_dir_node(dir, e, &node) < 0)
		return out;
	out->link = node.type == FS_LINK;
	if (out->link)
		entry_follow(site, e, &node);
	out->type = (uint8_t)node.type;
	if (node.type == FS_NONE || node.fs->ops->attr(node.fs, &node, &attr) < 0)
		return out;
	out->size = attr.size;
	out->modified = attr.modified.seconds;
	return out;
}

static bool before(const void *left, const void *right)
{
	const struct listing_entry *a = left, *b = right;

	if ((a->type == FS_DIR) != (b->type == FS_DIR))
		return a->type == FS_DIR;
	return strcmp(a->name, b->name) < 0;
}

static int listing_entry(struct site *site, struct fs_dir *dir, const struct fs_dir_entry *e,
			 struct listing *out)
{
	struct listing_entry *made = entry_make(site, dir, e);
	int error = made != NULL ? listing_add(out, made) : -FS_E_NOMEM;

	if (error < 0)
		free(made);
	return error;
}

int listing_read(struct site *site, const struct fs_node *node, size_t most, struct listing *out)
{
	struct fs_dir_entry e;
	struct fs_dir dir;
	int error = fs_dir_open_node(node, &dir);

	memset(out, 0, sizeof(*out));
	if (error < 0)
		return error;
	while ((error = fs_dir_next(&dir, &e)) > 0) {
		if (strcmp(e.name, ".") == 0 || strcmp(e.name, "..") == 0)
			continue;
		if (entry_bytes(e.name_bytes) > most - out->bytes)
			out->left_out++;
		else if ((error = listing_entry(site, &dir, &e, out)) < 0)
			break;
	}
	fs_dir_close(&dir);
	sort_pointers((void **)out->entry, out->count, before);
	return error;
}

void listing_free(struct listing *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entry[i]);
	free(list->entry);
	memset(list, 0, sizeof(*list));
}
