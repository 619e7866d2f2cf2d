/* SPDX-License-Identifier: MIT */
/*
 * path_use.c - what is asked of a path in one go: attributes, link target, file system.
 */
#include <base/string.h>
#include <libfs/path.h>

#include "path_internal.h"

static int path_attr(struct fs_mount_table *table, const char *path, bool follow,
		     struct fs_attr *out)
{
	const struct fs_node *node;
	int err = path_walk(table, path, follow, &node);

	return err < 0 ? err : node->fs->ops->attr(node->fs, node, out);
}

int fs_path_attr(struct fs_mount_table *table, const char *path, struct fs_attr *out)
{
	return path_attr(table, path, true, out);
}

int fs_path_link_attr(struct fs_mount_table *table, const char *path, struct fs_attr *out)
{
	return path_attr(table, path, false, out);
}

int64_t fs_path_readlink(struct fs_mount_table *table, const char *path, char *out, size_t bytes)
{
	const struct fs_node *node;
	int64_t length;
	int err = path_walk(table, path, false, &node);

	if (err < 0)
		return err;
	if (node->type != FS_LINK)
		return -FS_E_NOTLINK;
	if (bytes == 0)
		return -EXO_E_ROOM;
	length = node->fs->ops->readlink(node->fs, node, out, bytes - 1);
	if (length >= 0)
		out[length] = 0;
	return length;
}

int fs_path_stat(struct fs_mount_table *table, const char *path, struct fs_stat *out)
{
	const struct fs_node *node;
	int err = path_walk(table, path, true, &node);

	return err < 0 ? err : node->fs->ops->stat(node->fs, out);
}

const char *fs_path_why(struct fs_mount_table *table)
{
	struct fs_mount *m = fs_mount_find(table, table->canon, strlen(table->canon));

	return m ? m->fs.why : "";
}
