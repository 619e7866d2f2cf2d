/* SPDX-License-Identifier: MIT */
/*
 * table.c - the list of table frames with one bit a slot.
 *
 * Invariant: entries ascend by pfn; `taken` is the number of set bits.
 */
#include "table.h"

/* The place of the first entry with at least this pfn. */
static uint64_t table_place(const struct table_list *list, uint64_t pfn)
{
	uint64_t lo = 0, hi = list->count;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (list->at[mid].pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t bits_count(uint64_t word)
{
	uint64_t n = 0;

	for (; word; word &= word - 1)
		n++;
	return n;
}

void table_insert(struct table_list *list, uint64_t pfn, uint32_t index, uint64_t taken)
{
	uint64_t place = table_place(list, pfn);

	for (uint64_t i = list->count; i > place; i--)
		list->at[i] = list->at[i - 1];
	list->at[place] = (struct table_frame){ (uint32_t)pfn, index, taken };
	list->count++;
	list->hint = place;
	list->taken += bits_count(taken);
}

struct table_frame *table_find(const struct table_list *list, uint64_t pfn)
{
	uint64_t place = table_place(list, pfn);

	return place < list->count && list->at[place].pfn == pfn ? &list->at[place] : NULL;
}

static uint64_t run_mask(unsigned count)
{
	return count >= 64 ? ~0ul : (1ul << count) - 1;
}

/* The first place in the word with `count` clear bits, or 64. */
static unsigned run_find(uint64_t taken, unsigned count)
{
	if (count == 1)
		return ~taken ? (unsigned)__builtin_ctzll(~taken) : 64;
	for (unsigned s = 0; s + count <= 64; s++) {
		uint64_t hit = taken & run_mask(count) << s;

		if (!hit)
			return s;
		s = 63u - (unsigned)__builtin_clzll(hit);
	}
	return 64;
}

exo_sid table_take(struct table_list *list, unsigned count)
{
	for (uint64_t n = 0; n < list->count; n++) {
		uint64_t i = (list->hint + n) % list->count;
		struct table_frame *t = &list->at[i];
		unsigned s = run_find(t->taken, count);

		if (s == 64)
			continue;
		t->taken |= run_mask(count) << s;
		list->taken += count;
		list->hint = i;
		return t->pfn * EXO_SLOTS_PER_FRAME + s;
	}
	return 0;
}

bool table_give(struct table_list *list, exo_sid sid, unsigned count)
{
	struct table_frame *t = table_find(list, sid / EXO_SLOTS_PER_FRAME);
	unsigned s = sid % EXO_SLOTS_PER_FRAME;
	uint64_t mask;

	if (!t || count == 0 || s + count > EXO_SLOTS_PER_FRAME)
		return false;
	mask = run_mask(count) << s;
	if ((t->taken & mask) != mask)
		return false;
	t->taken &= ~mask;
	list->taken -= count;
	list->hint = (uint64_t)(t - list->at);
	return true;
}

uint64_t table_free(const struct table_list *list)
{
	return list->count * EXO_SLOTS_PER_FRAME - list->taken;
}
