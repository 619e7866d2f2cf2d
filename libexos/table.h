/* SPDX-License-Identifier: MIT */
/*
 * table.h - the list of table frames with one bit a slot; knows nothing of the kernel.
 */
#ifndef EXOS_TABLE_H
#define EXOS_TABLE_H

#include <exo/types.h>
#include <stdbool.h>

struct table_frame {
	uint32_t pfn;
	uint32_t index;         /* in order of mapping */
	uint64_t taken;         /* bit s: slot pfn * 64 + s is taken */
};

struct table_list {
	struct table_frame *at; /* ascending by pfn */
	uint64_t count, room;
	uint64_t hint;          /* where a free slot is likely */
	uint64_t taken;         /* bits set in all */
};

/* Enter a frame; there must be room. */
void table_insert(struct table_list *list, uint64_t pfn, uint32_t index, uint64_t taken);
/* The entry of a frame, or NULL. */
struct table_frame *table_find(const struct table_list *list, uint64_t pfn);
/* Take `count` (1 to 64) consecutive slots of one frame: the first, or 0. */
exo_sid table_take(struct table_list *list, unsigned count);
/* Give them back; false, with nothing changed, if one of them is not taken or not ours. */
bool table_give(struct table_list *list, exo_sid sid, unsigned count);
/* Slots free now. */
uint64_t table_free(const struct table_list *list);

#endif
