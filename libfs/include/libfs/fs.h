/* SPDX-License-Identifier: MIT */
/*
 * fs.h - what a file system is: a table of functions over nodes.
 *
 * A node is a value: it names an inode and carries what the file system remembers of it, so holding
 * one costs nothing and needs no giving back.  A file system trusts nothing that it reads from its
 * device: whatever is there, its functions end after bounded work with a result or an error, and
 * leave the reason in words in fs->why.  Programs use file.h, dir.h and path.h, not these tables.
 */
#ifndef LIBFS_FS_H
#define LIBFS_FS_H

#include <libfs/cache.h>
#include <libfs/errors.h>
#include <libfs/names.h>
#include <libfs/nodes.h>

#define FS_NAME_MAX 255u        /* bytes of one name, without the NUL */
#define FS_PATH_MAX 4096u       /* bytes of a path, with the NUL */
#define FS_WHY_BYTES 192u

struct fs_time {
	int64_t  seconds;       /* since 1970, UTC */
	uint32_t ns;
};

struct fs_attr {
	uint64_t ino;
	uint64_t size;          /* bytes */
	uint64_t allocated;     /* bytes on the device */
	uint32_t type;          /* enum fs_type */
	uint32_t mode;          /* permission bits 07777 */
	uint32_t uid, gid;
	uint32_t links;
	uint32_t block_bytes;
	uint32_t major, minor;  /* of a device node */
	struct fs_time accessed, modified, changed;
};

struct fs_stat {
	const char *type;       /* name of the file system */
	uint64_t blocks, free_blocks;
	uint64_t inodes, free_inodes;
	uint32_t block_bytes;
	uint32_t unclean;       /* 1: it was not unmounted cleanly, or has recorded errors */
	char     label[33];     /* NUL terminated; printable ASCII, others shown as ? */
	uint8_t  uuid[16];
};

/* A directory entry as it is visited: the name is lent, not NUL terminated. */
struct fs_entry {
	const char *name;
	uint32_t name_bytes;    /* 1 to FS_NAME_MAX; no '/' and no NUL in it */
	uint32_t type;          /* enum fs_type; FS_NONE: the directory does not say */
	uint64_t ino;
	uint64_t next;          /* position behind this entry */
};

/* Visits an entry; not 0 ends the visit, and the reader returns it. */
typedef int fs_visit(void *context, const struct fs_entry *entry);

/* A piece of a file, lent in place. */
struct fs_piece {
	const void *data;       /* NULL: a hole, all zero */
	size_t   bytes;
	struct fs_buffer *buffer;       /* NULL: nothing to give back */
};

/*
 * Where a run of a file's blocks lies, remembered by whoever reads the file.  All zero: nothing is
 * remembered.  The file system fills it in and knows by `epoch` whether it still holds.
 */
struct fs_run {
	uint64_t first;         /* block of the file */
	uint64_t block;         /* of the device, where `first` lies; 0: the run is a hole */
	uint32_t count;         /* blocks; 0: nothing */
	uint32_t epoch;         /* cache.epoch when it was read */
};

struct fs_ops {
	const char *name;
	/*
	 * Look at fs->device; if it carries this kind, make fs->cache, fs->own and fs->root.
	 * -FS_E_NOTFS if it is of another kind; else any error, with fs->why.
	 */
	int (*mount)(struct fs *fs);
	/* Let go of cache and memory.  -FS_E_OPEN while a buffer is lent: nothing changed. */
	int (*unmount)(struct fs *fs);
	/* Find a name ("." and ".." too) in a directory.  -FS_E_NOENT; -EXO_E_ARG: no name. */
	int (*lookup)(struct fs *fs, const struct fs_node *dir, const char *name, size_t bytes,
		      struct fs_node *out);
	/* The node of an inode number, as entries told it. */
	int (*node)(struct fs *fs, uint64_t ino, struct fs_node *out);
	/* Visit entries from *position (0: the first) on, moving it.  0 at the end, or visit's. */
	int (*entries)(struct fs *fs, const struct fs_node *dir, uint64_t *position,
		       fs_visit *visit, void *context);
	int (*attr)(struct fs *fs, const struct fs_node *node, struct fs_attr *out);
	/* The target, without a NUL: its length, or -EXO_E_ROOM if it is longer than `bytes`. */
	int64_t (*readlink)(struct fs *fs, const struct fs_node *node, char *out, size_t bytes);
	/*
	 * Copy [offset, offset + bytes) of a regular file, none of it behind the end: how many, or
	 * an error if none.  run, here and below: of this reader of this file.
	 */
	int64_t (*read)(struct fs *fs, const struct fs_node *node, struct fs_run *run,
			uint64_t offset, void *out, size_t bytes);
	/* Lend the piece at offset, at most to the end of its block; 1, or 0 at the end. */
	int (*lend)(struct fs *fs, const struct fs_node *node, struct fs_run *run,
		    uint64_t offset, struct fs_piece *out);
	/* A hint that [offset, offset + bytes) will be read: how much of it is heeded, bytes. */
	size_t (*prefetch)(struct fs *fs, const struct fs_node *node, struct fs_run *run,
			   uint64_t offset, size_t bytes);
	int (*stat)(struct fs *fs, struct fs_stat *out);
};

struct fs {
	const struct fs_ops *ops;
	struct fs_device *device;
	struct fs_memory *memory;
	const struct fs_evict_ops *evict;       /* for its cache; NULL: the default */
	uint64_t cache_bytes;                   /* for its cache */
	struct fs_cache cache;
	struct fs_node root;
	struct fs_names names;                  /* names and nodes found, see lookup.h */
	struct fs_nodes nodes;
	uint32_t epoch;                         /* cache.epoch that they were read in */
	uint32_t open;                          /* open files and directories */
	char     why[FS_WHY_BYTES];             /* the last refusal, in words */
	void    *own;                           /* the file system's own */
};

/* Write fs->why, "NAME: " first, and return `error`. */
int fs_refuse(struct fs *fs, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
