/* SPDX-License-Identifier: MIT */
/*
 * map_device.c - registers of the devices that the kernel drives, mapped for it at boot.
 *
 * Invariant: they get kernel addresses of their own, uncached and never executable, one after the
 * other, in the half that every space shares.
 */
#include "cpu.h"
#include "kernel.h"
#include "x86/pte.h"

#define DEVICE_VA 0xffffc00000000000ul

static uint64_t device_next = DEVICE_VA;

static uint64_t *device_entry(uint64_t va)
{
	uint64_t *table = kernel_pml4;

	for (unsigned level = 4; level > 1; level--) {
		uint64_t *pte = &table[pte_index(va, level)];

		if (!(*pte & PTE_P))
			*pte = virt_to_phys(boot_frames(1)) | PTE_P | PTE_W;
		table = pfn_to_virt(pte_pfn(*pte));
	}
	return &table[pte_index(va, 1)];
}

void *boot_map_device(uint64_t pa, uint64_t bytes)
{
	uint64_t first = round_down(pa, EXO_PAGE_SIZE), va = device_next;

	for (uint64_t at = first; at < pa + bytes; at += EXO_PAGE_SIZE) {
		*device_entry(device_next) = at | PTE_P | PTE_W | PTE_PCD | PTE_PWT | PTE_NX;
		device_next += EXO_PAGE_SIZE;
	}
	return (void *)(va + pa - first);
}
