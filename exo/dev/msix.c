/* SPDX-License-Identifier: MIT */
/*
 * msix.c - message-signalled interrupts (PCI Local Bus 3.0, 6.8.2).
 *
 * Invariant: the table is in no user mapping, so only the kernel says which vector a device raises.
 */
#include "dev/pci.h"

#include "dev/iommu.h"
#include "kernel.h"

enum {
	CONTROL_ENABLE = 1 << 15,       /* of the upper half of the first word */
	CONTROL_MASK_ALL = 1 << 14,
	CONTROL_LAST = 0x7ff,
	ENTRY_WORDS = 4,
	ENTRY_ADDRESS = 0,
	ENTRY_DATA = 2,
	ENTRY_CONTROL = 3,      /* bit 0: masked */
};

bool msix_start(uint32_t where, struct msix *out)
{
	unsigned cap = pci_capability(where, PCI_CAP_MSIX, 0);
	uint32_t head, place;

	if (!cap)
		return false;
	head = pci_read(where, cap);
	place = pci_read(where, cap + 4);
	out->where = where;
	out->cap = cap;
	out->entries = (head >> 16 & CONTROL_LAST) + 1;
	out->table = pci_map(where, place & 7, place & ~7u, out->entries * ENTRY_WORDS * 4);
	if (!out->table)
		return false;
	pci_write(where, cap, head | (uint32_t)(CONTROL_ENABLE | CONTROL_MASK_ALL) << 16);
	pci_command(where, PCI_COMMAND_MEMORY, 0);
	for (uint32_t i = 0; i < out->entries; i++)
		out->table[i * ENTRY_WORDS + ENTRY_CONTROL] = 1;
	pci_write(where, cap, (head & ~((uint32_t)CONTROL_MASK_ALL << 16)) |
	                      (uint32_t)CONTROL_ENABLE << 16);
	return true;
}

void msix_write(const struct msix *m, uint32_t entry, uint64_t address, uint32_t data)
{
	volatile uint32_t *e = m->table + entry * ENTRY_WORDS;

	e[ENTRY_CONTROL] = 1;
	e[ENTRY_ADDRESS] = (uint32_t)address;
	e[ENTRY_ADDRESS + 1] = (uint32_t)(address >> 32);
	e[ENTRY_DATA] = data;
	e[ENTRY_CONTROL] = 0;
}

void msix_set(const struct msix *m, uint32_t entry, uint64_t address, unsigned vector)
{
	struct iommu_message message = iommu_message(m->where, address, vector);

	msix_write(m, entry, message.address, message.data);
}

void msix_mask(const struct msix *m, uint32_t entry, bool mask)
{
	volatile uint32_t *control = m->table + entry * ENTRY_WORDS + ENTRY_CONTROL;

	*control = mask;
	(void)*control;         /* nothing comes behind the answer */
}

void msix_enable(const struct msix *m)
{
	uint32_t head = pci_read(m->where, m->cap) & 0x3fffffffu;

	pci_write(m->where, m->cap, head | (uint32_t)(CONTROL_ENABLE | CONTROL_MASK_ALL) << 16);
	for (uint32_t i = 0; i < m->entries; i++)
		msix_mask(m, i, true);
	pci_write(m->where, m->cap, head | (uint32_t)CONTROL_ENABLE << 16);
}

void msix_quiet(const struct msix *m)
{
	uint32_t head = pci_read(m->where, m->cap);

	if (head & (uint32_t)CONTROL_ENABLE << 16)
		pci_write(m->where, m->cap, head | (uint32_t)CONTROL_MASK_ALL << 16);
}
