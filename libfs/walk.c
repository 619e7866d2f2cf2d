/* SPDX-License-Identifier: MIT */
/*
 * walk.c - walking a whole tree without recursion and without trust.
 *
 * Invariant: level[0 .. depth) are the directories from the start to where the walk is, path starts
 * with the names between them.
 */
#include <base/string.h>
#include <libfs/dir.h>

#include "lookup.h"

/* The most directories a sound file system can have: one an inode. */
static int walk_limit(const struct fs_node *dir, uint64_t *limit)
{
	struct fs_stat stat;
	int err = dir->fs->ops->stat(dir->fs, &stat);

	if (err == 0)
		*limit = stat.inodes;
	return err;
}

int fs_walk_start(struct fs_walk *walk, const struct fs_node *dir, struct fs_walk_level *level,
		  uint32_t levels)
{
	if (dir->type != FS_DIR)
		return -FS_E_NOTDIR;
	if (levels == 0)
		return -EXO_E_ARG;
	memset(walk, 0, sizeof *walk);
	walk->level = level;
	walk->levels = levels;
	walk->depth = 1;
	level[0] = (struct fs_walk_level){ .node = *dir };
	return walk_limit(dir, &walk->dirs_left);
}

/* Go down into the directory that was returned last. */
static int walk_enter(struct fs_walk *walk)
{
	const struct fs_node *dir = &walk->node, *up;
	uint64_t parent = walk->level[walk->depth - 1].node.ino;
	int err;

	walk->enter = false;
	if (walk->depth == walk->levels)
		return -FS_E_NAMETOOLONG;
	lookup_refresh(dir->fs);
	err = lookup_name(dir, "..", 2, &up);
	if (err == -FS_E_NOENT || (err == 0 && up->ino != parent))
		return fs_refuse(dir->fs, -FS_E_CORRUPT,
				 "inode %lu: a directory whose .. is not where it was found",
				 (unsigned long)dir->ino);
	if (err < 0)
		return err;
	if (walk->dirs_left == 0) {
		walk->depth = 0;
		return fs_refuse(dir->fs, -FS_E_CORRUPT, "more directories than inodes");
	}
	walk->dirs_left--;
	walk->level[walk->depth++] =
		(struct fs_walk_level){ .node = *dir, .path_bytes = walk->path_bytes };
	return 0;
}

/* Append a name to the path of the level; false if it does not fit. */
static bool walk_path(struct fs_walk *walk, const struct fs_walk_level *at,
		      const struct fs_entry *entry)
{
	uint32_t bytes = at->path_bytes;

	if (entry->name_bytes + 2 > FS_PATH_MAX - bytes)
		return false;
	if (bytes)
		walk->path[bytes++] = '/';
	memcpy(walk->path + bytes, entry->name, entry->name_bytes);
	walk->path_bytes = bytes + entry->name_bytes;
	walk->path[walk->path_bytes] = 0;
	return true;
}

static int walk_visit(void *context, const struct fs_entry *entry)
{
	struct fs_walk *walk = context;

	if (entry->name[0] == '.' &&
	    (entry->name_bytes == 1 || (entry->name_bytes == 2 && entry->name[1] == '.')))
		return 0;
	walk->ino = entry->ino;
	return walk_path(walk, &walk->level[walk->depth - 1], entry) ? 1 : -FS_E_NAMETOOLONG;
}

/* Back to the path of the directory itself, when an error concerns all of it. */
static void walk_path_cut(struct fs_walk *walk)
{
	walk->path_bytes = walk->level[walk->depth - 1].path_bytes;
	walk->path[walk->path_bytes] = 0;
}

/* The node of the entry that was visited: 1, or an error. */
static int walk_take(struct fs_walk *walk, struct fs *fs)
{
	const struct fs_node *node;
	int err;

	lookup_refresh(fs);
	err = lookup_ino(fs, walk->ino, &node);
	if (err < 0)
		return err;
	walk->node = *node;
	walk->enter = node->type == FS_DIR;
	return 1;
}

int fs_walk_next(struct fs_walk *walk)
{
	if (walk->enter) {
		int err = walk_enter(walk);

		if (err < 0)
			return err;
	}
	while (walk->depth > 0) {
		struct fs_walk_level *at = &walk->level[walk->depth - 1];
		struct fs *fs = at->node.fs;
		int got = fs->ops->entries(fs, &at->node, &at->position, walk_visit, walk);

		if (got < 0) {
			/* Damaged or unreadable: the rest of this directory is lost. */
			if (got != -FS_E_NAMETOOLONG) {
				walk_path_cut(walk);
				walk->depth--;
			}
			return got;
		}
		if (got == 0) {
			walk->depth--;
			continue;
		}
		return walk_take(walk, fs);
	}
	return 0;
}

void fs_walk_skip(struct fs_walk *walk)
{
	walk->enter = false;
}
