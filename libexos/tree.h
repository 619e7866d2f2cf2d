/* SPDX-License-Identifier: MIT */
/*
 * tree.h - regions in order of address; knows nothing of faults or the kernel.
 */
#ifndef EXOS_TREE_H
#define EXOS_TREE_H

#include <exos/pager.h>

/* The region that holds va, or NULL. */
struct exos_region *tree_find(struct exos_region *root, uint64_t va);
/* The first region with hi > va, or NULL. */
struct exos_region *tree_next(struct exos_region *root, uint64_t va);
/* Enter and remove; the region entered overlaps none, the region removed is there. */
void tree_insert(struct exos_region **root, struct exos_region *region);
void tree_remove(struct exos_region **root, struct exos_region *region);

#endif
