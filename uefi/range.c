/* SPDX-License-Identifier: MIT */
/*
 * range.c - the kernel's view of memory, made from the firmware's memory map.
 *
 * Invariant: between calls the list is sorted and its entries are apart and not empty.  Knows no
 * firmware calls: a map is bytes.
 */
#include "range.h"

#include <base/string.h>
#include <base/util.h>

#define PFN_MAX (1ul << 40)     /* physical addresses have at most 52 bits */

uint32_t range_room(uint64_t descriptors, uint32_t spans)
{
	return (uint32_t)(2 * (descriptors + spans) + 4);
}

/* Index of the first entry that ends above pfn. */
static uint32_t index_of(const struct range_list *l, uint64_t pfn)
{
	uint32_t i = 0;

	while (i < l->count && l->at[i].hi <= pfn)
		i++;
	return i;
}

static void entry_insert(struct range_list *l, uint32_t i, uint64_t lo, uint64_t hi, uint32_t kind)
{
	memmove(&l->at[i + 1], &l->at[i], (l->count - i) * sizeof(l->at[0]));
	l->at[i] = (struct exo_boot_range){ .lo = lo, .hi = hi, .kind = kind };
	l->count++;
}

static void entry_remove(struct range_list *l, uint32_t i)
{
	memmove(&l->at[i], &l->at[i + 1], (l->count - i - 1) * sizeof(l->at[0]));
	l->count--;
}

/* Make `pfn` a boundary: an entry that holds it inside becomes two. */
static void entry_split(struct range_list *l, uint64_t pfn)
{
	uint32_t i = index_of(l, pfn);

	if (i == l->count || l->at[i].lo >= pfn)
		return;
	entry_insert(l, i + 1, pfn, l->at[i].hi, l->at[i].kind);
	l->at[i].hi = pfn;
}

bool range_lay(struct range_list *l, uint64_t lo, uint64_t hi, uint32_t kind)
{
	uint32_t i;

	if (lo >= hi)
		return true;
	if (l->count > l->room || l->room - l->count < 2)
		return false;
	entry_split(l, lo);
	entry_split(l, hi);
	i = index_of(l, lo);
	while (i < l->count && l->at[i].lo < hi)
		entry_remove(l, i);
	if (kind)
		entry_insert(l, i, lo, hi, kind);
	return true;
}

/* The kind of memory that a descriptor type becomes; 0: not memory. */
static uint32_t kind_of(uint32_t type)
{
	switch (type) {
	case RANGE_EFI_LOADER_CODE:
	case RANGE_EFI_LOADER_DATA:
	case RANGE_EFI_BOOT_CODE:
	case RANGE_EFI_BOOT_DATA:
	case RANGE_EFI_FREE:
		return EXO_BOOT_FREE;
	case RANGE_EFI_ACPI_RECLAIM:
	case RANGE_EFI_ACPI_NVS:
		return EXO_BOOT_ACPI;
	case RANGE_EFI_MMIO:
	case RANGE_EFI_MMIO_PORTS:
		return 0;
	default:
		return EXO_BOOT_FIRMWARE;
	}
}

static bool lay_kind(struct range_list *l, const char *map, uint64_t count, uint64_t step,
		     uint32_t kind)
{
	for (uint64_t i = 0; i < count; i++) {
		struct range_descriptor d;
		uint64_t lo;

		memcpy(&d, map + i * step, sizeof(d));
		if (kind_of(d.type) != kind)
			continue;
		lo = min_u64(d.physical_start >> 12, PFN_MAX);
		if (!range_lay(l, lo, lo + min_u64(d.pages, PFN_MAX - lo), kind))
			return false;
	}
	return true;
}

bool range_lay_map(struct range_list *l, const void *map, uint64_t bytes,
		   uint64_t descriptor_bytes)
{
	static const uint32_t order[] = { EXO_BOOT_FREE, EXO_BOOT_ACPI, EXO_BOOT_FIRMWARE };
	uint64_t count;

	if (descriptor_bytes < sizeof(struct range_descriptor))
		return false;
	count = bytes / descriptor_bytes;
	for (uint32_t i = 0; i < ARRAY_LEN(order); i++)
		if (!lay_kind(l, map, count, descriptor_bytes, order[i]))
			return false;
	return range_lay(l, 0, 1, EXO_BOOT_FIRMWARE);
}

void range_merge(struct range_list *l)
{
	uint32_t i = 1;

	while (i < l->count) {
		if (l->at[i - 1].hi == l->at[i].lo && l->at[i - 1].kind == l->at[i].kind) {
			l->at[i - 1].hi = l->at[i].hi;
			entry_remove(l, i);
		} else {
			i++;
		}
	}
}
