/* SPDX-License-Identifier: MIT */
/*
 * entry.c - reading the own page tables, which each space maps read-only into itself.
 *
 * Not for changing them: that is exo_space_update's.
 */
#include <exos/space.h>

#define PRESENT 0x1ul                   /* SDM 3A 4.5.4 */
#define LARGE   0x80ul
#define FRAME   0x000ffffffffff000ul

/* Where the entry stands that maps the page at va. */
static uint64_t entry_va(uint64_t va)
{
	return EXO_SELF_VA + (va >> EXO_PAGE_SHIFT) * 8;
}

/*
 * The entry for va in the lowest table that there is: *level 1 to 4, 1 for a 4 KiB page's.
 * Tables are looked at from the top, since the entries of one that is not there cannot be read.
 */
static uint64_t entry_lowest(uint64_t va, int *level)
{
	uint64_t at[4] = { entry_va(va), 0, 0, 0 }, entry = 0;

	for (int i = 1; i < 4; i++)
		at[i] = entry_va(at[i - 1]);
	for (*level = 4; *level >= 1; --*level) {
		entry = *(const volatile uint64_t *)at[*level - 1];
		if (!(entry & PRESENT) || *level == 1)
			break;
		if (*level < 4 && entry & LARGE)
			break;
	}
	return entry;
}

uint64_t exos_space_entry(uint64_t va, uint32_t *size)
{
	static const uint32_t sizes[] = { 0, EXO_SIZE_4K, EXO_SIZE_2M, EXO_SIZE_1G };
	int level;
	uint64_t entry = va < EXO_USER_TOP ? entry_lowest(va, &level) : 0;

	if (!(entry & PRESENT))
		return 0;
	if (size)
		*size = sizes[level];
	return entry;
}

bool exos_space_table(uint64_t va)
{
	int level;

	if (va >= EXO_USER_TOP)
		return false;
	entry_lowest(va, &level);
	return level == 1;
}

uint64_t exos_space_frame(uint64_t va)
{
	uint32_t size = EXO_SIZE_4K;
	uint64_t entry = exos_space_entry(va, &size);
	uint64_t bytes = size == EXO_SIZE_1G ? 1ul << 30 : size == EXO_SIZE_2M ? 1ul << 21 : 4096;

	if (!entry)
		return 0;
	return ((entry & FRAME & ~(bytes - 1)) + (va & (bytes - 1))) >> EXO_PAGE_SHIFT;
}
