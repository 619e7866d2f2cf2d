/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - from a name or a number to a node: by the caches first, then by the file system.
 *
 * Invariant: what the caches hold was read from the device since its blocks were last forgotten
 * (cache.epoch).  Failures are not kept, but for "no such name".
 */
#include "lookup.h"

void lookup_init(struct fs *fs, uint64_t bytes)
{
	fs_nodes_init(&fs->nodes, fs->memory, bytes);
	fs_names_init(&fs->names, fs->memory, bytes);
	fs->epoch = fs->cache.epoch;
}

void lookup_end(struct fs *fs)
{
	fs_names_end(&fs->names, fs->memory);
	fs_nodes_end(&fs->nodes, fs->memory);
}

/* Blocks that were forgotten may be others when they are read again. */
static inline void lookup_refresh(struct fs *fs)
{
	if (fs->epoch == fs->cache.epoch)
		return;
	fs_names_clear(&fs->names);
	fs_nodes_clear(&fs->nodes);
	fs->epoch = fs->cache.epoch;
}

/* The node of a number; the one at `stay` stays, too. */
static int lookup_node(struct fs *fs, uint64_t ino, const struct fs_node *stay,
		       const struct fs_node **out)
{
	struct fs_node node;
	int err;

	*out = fs_nodes_find(&fs->nodes, ino);
	if (*out)
		return 0;
	err = fs->ops->node(fs, ino, &node);
	if (err == 0)
		*out = fs_nodes_keep(&fs->nodes, &node, stay);
	return err;
}

int lookup_ino(struct fs *fs, uint64_t ino, const struct fs_node **out)
{
	lookup_refresh(fs);
	return lookup_node(fs, ino, NULL, out);
}

int lookup_name(const struct fs_node *dir, const char *name, size_t bytes,
		const struct fs_node **out)
{
	struct fs *fs = dir->fs;
	struct fs_name_key key;
	struct fs_node node;
	uint64_t ino;
	int err;

	lookup_refresh(fs);
	fs_name_key(&key, dir->ino, name, bytes);
	if (fs_names_find(&fs->names, &key, &ino))
		return ino == FS_INO_NONE ? -FS_E_NOENT : lookup_node(fs, ino, dir, out);
	err = fs->ops->lookup(fs, dir, name, bytes, &node);
	if (err == -FS_E_NOENT)
		fs_names_keep(&fs->names, &key, FS_INO_NONE);
	if (err < 0)
		return err;
	fs_names_keep(&fs->names, &key, node.ino);
	*out = fs_nodes_keep(&fs->nodes, &node, dir);
	return 0;
}
