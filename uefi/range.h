/* SPDX-License-Identifier: MIT */
/*
 * range.h - the kernel's view of memory, made from the firmware's memory map.
 */
#ifndef UEFI_RANGE_H
#define UEFI_RANGE_H

#include <exo/boot.h>

#include <stdbool.h>

/* A memory descriptor and its types, UEFI 2.10 section 7.2.3. */
struct range_descriptor {
	uint32_t type, pad;
	uint64_t physical_start, virtual_start, pages, attribute;
};
enum range_efi_type {
	RANGE_EFI_RESERVED, RANGE_EFI_LOADER_CODE, RANGE_EFI_LOADER_DATA, RANGE_EFI_BOOT_CODE,
	RANGE_EFI_BOOT_DATA, RANGE_EFI_RUNTIME_CODE, RANGE_EFI_RUNTIME_DATA, RANGE_EFI_FREE,
	RANGE_EFI_UNUSABLE, RANGE_EFI_ACPI_RECLAIM, RANGE_EFI_ACPI_NVS, RANGE_EFI_MMIO,
	RANGE_EFI_MMIO_PORTS, RANGE_EFI_PAL, RANGE_EFI_PERSISTENT,
};

/* Ranges, sorted by lo and apart. */
struct range_list {
	struct exo_boot_range *at;
	uint32_t count;
	uint32_t room;          /* entries at `at` */
};

/* Entries that any map of this many descriptors can need, with `spans` ranges laid over it. */
uint32_t range_room(uint64_t descriptors, uint32_t spans);

/*
 * Lay [lo, hi) (pfn) of this kind over the list; what was there gives way.  kind 0 cuts a hole.
 * false, with nothing changed, if the list has not room for two more entries.
 */
bool range_lay(struct range_list *l, uint64_t lo, uint64_t hi, uint32_t kind);

/*
 * Lay a memory map over the list.  Where descriptors overlap, the firmware's own memory wins, then
 * ACPI, then free memory.  Device memory is left out; page 0 is never free.
 */
bool range_lay_map(struct range_list *l, const void *map, uint64_t bytes,
		   uint64_t descriptor_bytes);

/* Join neighbours of one kind. */
void range_merge(struct range_list *l);

#endif
