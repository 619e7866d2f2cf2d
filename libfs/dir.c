/* SPDX-License-Identifier: MIT */
/*
 * dir.c - open directories.
 */
#include <base/string.h>
#include <libfs/dir.h>

#include "lookup.h"
#include "path_internal.h"

int fs_dir_open_node(const struct fs_node *node, struct fs_dir *out)
{
	if (node->type != FS_DIR)
		return -FS_E_NOTDIR;
	out->node = *node;
	out->position = 0;
	node->fs->open++;
	return 0;
}

int fs_dir_open(struct fs_mount_table *table, const char *path, struct fs_dir *out)
{
	const struct fs_node *node;
	int err = path_walk(table, path, true, &node);

	return err < 0 ? err : fs_dir_open_node(node, out);
}

void fs_dir_close(struct fs_dir *dir)
{
	dir->node.fs->open--;
	memset(dir, 0, sizeof *dir);
}

static int dir_copy(void *context, const struct fs_entry *entry)
{
	struct fs_dir_entry *out = context;

	out->ino = entry->ino;
	out->type = entry->type;
	out->name_bytes = entry->name_bytes;
	memcpy(out->name, entry->name, entry->name_bytes);
	out->name[entry->name_bytes] = 0;
	return 1;
}

int fs_dir_next(struct fs_dir *dir, struct fs_dir_entry *out)
{
	struct fs *fs = dir->node.fs;

	return fs->ops->entries(fs, &dir->node, &dir->position, dir_copy, out);
}

int fs_dir_node(struct fs_dir *dir, const struct fs_dir_entry *entry, struct fs_node *out)
{
	const struct fs_node *node;
	int err;

	lookup_refresh(dir->node.fs);
	err = lookup_ino(dir->node.fs, entry->ino, &node);
	if (err == 0)
		*out = *node;
	return err;
}

int fs_dir_lookup(struct fs_dir *dir, const char *name, struct fs_node *out)
{
	size_t bytes = strnlen(name, FS_NAME_MAX + 1);
	const struct fs_node *node;
	int err;

	if (bytes > FS_NAME_MAX)
		return -FS_E_NAMETOOLONG;
	lookup_refresh(dir->node.fs);
	err = lookup_name(&dir->node, name, bytes, &node);
	if (err == 0)
		*out = *node;
	return err;
}

void fs_dir_rewind(struct fs_dir *dir)
{
	dir->position = 0;
}
