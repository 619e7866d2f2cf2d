/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - from a name or a number to a node: by the caches first, then by the file system.
 *
 * Invariant: what the caches hold was read from the device since its blocks were last forgotten
 * (cache.epoch), or is dropped by the next lookup_refresh.  Failures are not kept, but for "no such
 * name".
 */
#include "lookup.h"

/* Kept out of the way of what the caches know: they would only make it save more registers. */
#define NOT_HOT __attribute__((noinline))

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

void lookup_forget(struct fs *fs)
{
	fs_names_clear(&fs->names);
	fs_nodes_clear(&fs->nodes);
	fs->epoch = fs->cache.epoch;
}

/* The node of a number that the cache does not know; the one at `stay` stays there. */
static NOT_HOT int lookup_node(struct fs *fs, uint64_t ino, const struct fs_node *stay,
			       const struct fs_node **out)
{
	struct fs_node node;
	int err = fs->ops->node(fs, ino, &node);

	if (err == 0)
		*out = fs_nodes_keep(&fs->nodes, &node, stay);
	return err;
}

/* A name that the cache does not know. */
static NOT_HOT int lookup_read(const struct fs_node *dir, const struct fs_name_key *key,
			       const char *name, size_t bytes, const struct fs_node **out)
{
	struct fs *fs = dir->fs;
	struct fs_node node;
	int err = fs->ops->lookup(fs, dir, name, bytes, &node);

	if (err == -FS_E_NOENT)
		fs_names_keep(&fs->names, key, FS_INO_NONE);
	if (err < 0)
		return err;
	fs_names_keep(&fs->names, key, node.ino);
	*out = fs_nodes_keep(&fs->nodes, &node, dir);
	return 0;
}

int lookup_key(const struct fs_node *dir, struct fs_name_key *key, const char *name, size_t bytes,
	       const struct fs_node **out)
{
	struct fs *fs = dir->fs;
	const struct fs_name *known;

	fs_name_key_end(key, dir->ino, bytes);
	known = fs_names_find(&fs->names, key);
	if (!known)
		return lookup_read(dir, key, name, bytes, out);
	if (known->ino == FS_INO_NONE)
		return -FS_E_NOENT;
	*out = fs_nodes_find(&fs->nodes, known->ino);
	return *out ? 0 : lookup_node(fs, known->ino, dir, out);
}

int lookup_name(const struct fs_node *dir, const char *name, size_t bytes,
		const struct fs_node **out)
{
	struct fs_name_key key;

	fs_name_key(&key, name, bytes);
	return lookup_key(dir, &key, name, bytes, out);
}

int lookup_ino(struct fs *fs, uint64_t ino, const struct fs_node **out)
{
	*out = ino == FS_INO_NONE ? NULL : fs_nodes_find(&fs->nodes, ino);
	return *out ? 0 : lookup_node(fs, ino, NULL, out);
}
