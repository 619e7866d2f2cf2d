/* SPDX-License-Identifier: MIT */
/*
 * nodes.c - the node cache.
 *
 * Invariant: an inode number is in at most one place, and that is in the set it chooses.
 */
#include <base/string.h>
#include <libfs/names.h>
#include <libfs/nodes.h>

#include "table.h"

void fs_nodes_init(struct fs_nodes *nodes, struct fs_memory *memory, uint64_t bytes)
{
	struct table t = table_make(memory, bytes, nodes->least, sizeof nodes->least);

	nodes->place = t.data;
	nodes->sets = t.sets;
	nodes->pages = t.pages;
}

void fs_nodes_end(struct fs_nodes *nodes, struct fs_memory *memory)
{
	if (nodes->pages)
		memory->ops->free(memory, nodes->place, nodes->pages);
	nodes->place = NULL;
	nodes->pages = 0;
}

void fs_nodes_clear(struct fs_nodes *nodes)
{
	memset(nodes->place, 0, nodes->sets * sizeof nodes->least);
}

/*
 * An empty place, else one not used since it was passed over, else all are, and any will do; but
 * not that of `stay`.
 */
static struct fs_node_place *nodes_choose(struct fs_node_place *set, const struct fs_node *stay)
{
	struct fs_node_place *unused = NULL, *any = NULL;

	for (uint32_t i = 0; i < FS_NODES_WAYS; i++) {
		if (&set[i].node == stay)
			continue;
		if (set[i].node.ino == FS_INO_NONE)
			return &set[i];
		if (!set[i].used)
			unused = &set[i];
		any = &set[i];
	}
	if (unused)
		return unused;
	for (uint32_t i = 0; i < FS_NODES_WAYS; i++)
		set[i].used = 0;
	return any;
}

const struct fs_node *fs_nodes_keep(struct fs_nodes *nodes, const struct fs_node *node,
				    const struct fs_node *stay)
{
	struct fs_node_place *place = fs_nodes_place(nodes, node->ino);

	if (!place) {
		place = nodes_choose(fs_nodes_set(nodes, node->ino), stay);
		place->used = 0;
	}
	place->node = *node;
	return &place->node;
}
