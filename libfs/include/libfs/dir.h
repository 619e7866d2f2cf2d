/* SPDX-License-Identifier: MIT */
/*
 * dir.h - open directories, and walks over whole trees.
 */
#ifndef LIBFS_DIR_H
#define LIBFS_DIR_H

#include <libfs/path.h>

struct fs_dir {
	struct fs_node node;
	uint64_t position;
};

struct fs_dir_entry {
	uint64_t ino;
	uint32_t type;          /* enum fs_type; FS_NONE: ask for the attributes */
	uint32_t name_bytes;
	char     name[FS_NAME_MAX + 1];
};

/* Open a directory.  As fs_path_find; -FS_E_NOTDIR. */
int fs_dir_open(struct fs_mount_table *table, const char *path, struct fs_dir *out);
int fs_dir_open_node(const struct fs_node *node, struct fs_dir *out);
void fs_dir_close(struct fs_dir *dir);

/* The next entry ("." and ".." among them, in the directory's order): 1, 0 at the end, an error. */
int fs_dir_next(struct fs_dir *dir, struct fs_dir_entry *out);

/* The node of an entry that fs_dir_next gave: no search.  Errors: the file system's. */
int fs_dir_node(struct fs_dir *dir, const struct fs_dir_entry *entry, struct fs_node *out);

/*
 * The node of a name in an open directory.  -FS_E_NOENT, -FS_E_NAMETOOLONG, -EXO_E_ARG (empty, or
 * with a / in it), or the file system's error.
 */
int fs_dir_lookup(struct fs_dir *dir, const char *name, struct fs_node *out);

/* Start again from the first entry. */
void fs_dir_rewind(struct fs_dir *dir);

/* One level of a tree walk. */
struct fs_walk_level {
	struct fs_node node;
	uint64_t position;
	uint32_t path_bytes;    /* length of the path of this directory */
};

/*
 * A walk over all that lies below a directory of one file system, parents first; links are not
 * followed and mounts below are not entered.  A directory whose ".." is not the one it was found
 * in, or more directories than the file system has inodes, are damage: a hostile image can make
 * neither an endless nor an exploding walk.
 */
struct fs_walk {
	struct fs_walk_level *level;    /* [levels], the caller's */
	uint32_t levels;
	uint32_t depth;                 /* levels in use */
	uint64_t dirs_left;             /* directories that may still be entered */
	uint64_t ino;                   /* of the entry being visited */
	bool     enter;                 /* the node last returned is a directory to enter */
	struct fs_node node;            /* the last entry */
	uint32_t path_bytes;
	char     path[FS_PATH_MAX];     /* of the last entry, from the start on, no '/' first */
};

/* Start below `dir`.  -FS_E_NOTDIR; -EXO_E_ARG if levels is 0. */
int fs_walk_start(struct fs_walk *walk, const struct fs_node *dir, struct fs_walk_level *level,
		  uint32_t levels);

/*
 * Next entry: 1 and walk->node, walk->path; 0 at the end.  An error concerns walk->path; the walk
 * can go on behind it, except after -FS_E_CORRUPT for too many directories, which ends it.
 * -FS_E_NAMETOOLONG: deeper than `levels` or FS_PATH_MAX.
 */
int fs_walk_next(struct fs_walk *walk);

/* Do not enter the directory that fs_walk_next returned last. */
void fs_walk_skip(struct fs_walk *walk);

#endif
