/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - nodes that were made of their inodes once, by inode number.
 *
 * Nodes are values: a program that opens a file has a copy, and what becomes of the one here does
 * not matter to it.  So nobody counts who uses which; an inode that is open twice is two copies.
 * A node lies in one of the FS_NODES_WAYS places of the set that its number chooses.
 */
#ifndef LIBFS_NODES_H
#define LIBFS_NODES_H

#include <libfs/device.h>

#define FS_NODES_WAYS 4u

enum fs_type { FS_NONE, FS_FILE, FS_DIR, FS_LINK, FS_CHAR, FS_BLOCK, FS_FIFO, FS_SOCKET };

struct fs;

struct fs_node {
	struct fs *fs;
	uint64_t ino;           /* not FS_INO_NONE */
	uint64_t size;          /* bytes, at most INT64_MAX */
	uint32_t type;          /* enum fs_type */
	uint32_t spare;
	uint64_t own[9];        /* the file system's memory of the inode */
};

struct fs_node_place {
	struct fs_node node;    /* ino FS_INO_NONE: empty */
	uint64_t used;          /* found since it was last passed over */
	uint64_t spare[2];
};
_Static_assert(sizeof(struct fs_node_place) == 128, "a set of four is an eighth of a page");

struct fs_nodes {
	struct fs_node_place *place;    /* [sets][FS_NODES_WAYS] */
	uint64_t sets;                  /* a power of two */
	size_t   pages;                 /* of `place`; 0: it is `least` */
	uint64_t hits, misses;          /* of fs_nodes_find */
	struct fs_node_place least[FS_NODES_WAYS];
};

/* Make an empty table of about `bytes` bytes, or a smaller one: as fs_names_init. */
void fs_nodes_init(struct fs_nodes *nodes, struct fs_memory *memory, uint64_t bytes);

/* Give its memory back. */
void fs_nodes_end(struct fs_nodes *nodes, struct fs_memory *memory);

/* Forget all nodes. */
void fs_nodes_clear(struct fs_nodes *nodes);

/* The FS_NODES_WAYS places where a node can be: those of neighbours are in different sets. */
static inline struct fs_node_place *fs_nodes_set(const struct fs_nodes *nodes, uint64_t ino)
{
	return &nodes->place[(ino & (nodes->sets - 1)) * FS_NODES_WAYS];
}

/* The place of a node, or NULL. */
static inline struct fs_node_place *fs_nodes_place(const struct fs_nodes *nodes, uint64_t ino)
{
	struct fs_node_place *set = fs_nodes_set(nodes, ino);

	for (uint32_t i = 0; i < FS_NODES_WAYS; i++)
		if (set[i].node.ino == ino)
			return &set[i];
	return NULL;
}

/* The node of an inode number (not FS_INO_NONE), or NULL.  It stays until another is kept. */
static inline const struct fs_node *fs_nodes_find(struct fs_nodes *nodes, uint64_t ino)
{
	struct fs_node_place *place = fs_nodes_place(nodes, ino);

	if (!place) {
		nodes->misses++;
		return NULL;
	}
	nodes->hits++;
	place->used = 1;
	return &place->node;
}

/*
 * Keep a copy of a node that fs_nodes_find does not know, or again: where it lies.  The one at
 * `stay` (NULL: none) is not the one that goes for it.
 */
const struct fs_node *fs_nodes_keep(struct fs_nodes *nodes, const struct fs_node *node,
				    const struct fs_node *stay);

#endif
