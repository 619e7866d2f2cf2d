/* SPDX-License-Identifier: MIT */
/*
 * vtd_irq.c - interrupt remapping (VT-d specification 3.0, 5.1 and 9.10).
 *
 * Invariant: a message raises the vector of the entry it names, and only if it comes from the
 * requester that the entry names; messages in the old format raise nothing.  Entries [0, 256) are
 * those of claims, one for each vector; the kernel's own follow, made at boot.
 *
 * It is the unit that compares and stops.  QEMU's (7.2 to 11) does so for messages of MSI-X tables
 * and I/O APICs; what a device writes by DMA it takes for a message of nobody, and lets it
 * through, in the old format too.  There a hostile holder of a claim with bus mastering can
 * raise any vector.
 */
#include "dev/iommu.h"
#include "dev/vtd.h"

#include "dev/acpi.h"
#include "dev/pci_function.h"
#include "kernel.h"

enum {
	ENTRIES_LOG = 11,               /* 4,096 entries: the logarithm less one */
	ENTRIES = 2 << ENTRIES_LOG,
	OF_CLAIMS = 256,
	PRESENT = 1,
	LEVEL = 1 << 4,
	SOURCE_CHECKED = 1 << 18,       /* of the upper half: all of the requester id is compared */
	IOAPIC_LEVEL = 1 << 15,
	MESSAGE_REMAPPED = 1 << 4,
	MESSAGE_SUBHANDLE = 1 << 3,     /* data is added to the index: it is 0 */
};
#define IOAPIC_VECTOR 0xfful
#define IOAPIC_KEPT   0x1f7fful         /* vector to mask, but bit 11: part of the index */
#define MESSAGE_BASE  0xfee00000ul

static struct vtd_entry *table;
static uint32_t next = OF_CLAIMS;

static void entry_make(uint32_t index, uint32_t requester, uint32_t apic_id, unsigned vector,
                       bool level)
{
	vtd_entry_set(&table[index],
	              PRESENT | (level ? LEVEL : 0) | (uint64_t)vector << 16 |
	              (uint64_t)apic_id << 40,
	              SOURCE_CHECKED | (requester & 0xffff));
	vtd_forget_all(VTD_INTERRUPTS);
}

static uint32_t index_take(void)
{
	if (next == ENTRIES)
		panic("more than %d interrupt sources", ENTRIES - OF_CLAIMS);
	return next++;
}

static struct iommu_message message_of(uint32_t index)
{
	return (struct iommu_message){
		MESSAGE_BASE | (index & 0x7fff) << 5 | (index >> 15) << 2 | MESSAGE_REMAPPED |
		MESSAGE_SUBHANDLE, 0 };
}

static uint32_t message_cpu(uint64_t address)
{
	return address >> 12 & 0xff;
}

struct iommu_message iommu_message(uint32_t where, uint64_t address, unsigned vector)
{
	uint32_t index;

	if (!iommu_present())
		return (struct iommu_message){ address, vector };
	index = index_take();
	entry_make(index, pci_requester(where, NULL), message_cpu(address), vector, false);
	return message_of(index);
}

/* One that no unit names cannot interrupt: messages of unknown requesters are stopped. */
uint64_t iommu_ioapic_entry(const struct acpi_ioapic *io, uint64_t entry, uint32_t apic_id)
{
	uint64_t index;
	uint32_t requester;

	if (!iommu_present())
		return entry | (uint64_t)apic_id << 56;
	if (!vtd_ioapic_requester(io->id, &requester))
		return entry;
	index = index_take();
	entry_make((uint32_t)index, requester, apic_id, (unsigned)(entry & IOAPIC_VECTOR),
	           entry & IOAPIC_LEVEL);
	return (entry & IOAPIC_KEPT) | (index & 0x7fff) << 49 | 1ul << 48 | (index >> 15) << 11;
}

struct iommu_message iommu_vector_set(uint32_t requester, uint64_t address, unsigned vector)
{
	if (!iommu_present())
		return (struct iommu_message){ address, vector };
	entry_make(vector, requester, message_cpu(address), vector, false);
	return message_of(vector);
}

void iommu_vector_clear(unsigned vector)
{
	if (!iommu_present())
		return;
	vtd_entry_set(&table[vector], 0, 0);
	vtd_forget_all(VTD_INTERRUPTS);
}

bool vtd_irq_start(void)
{
	table = boot_frames(ENTRIES * sizeof(*table) / EXO_PAGE_SIZE);
	for (uint32_t i = 0; i < vtd_count; i++) {
		struct vtd_unit *u = &vtd_units[i];

		vtd_write64(u, VTD_IRTA, virt_to_phys(table) | ENTRIES_LOG);
		if (vtd_command(u, VTD_SET_IRT, true)) {
			vtd_forget(u, VTD_INTERRUPTS);
			if (u->works && vtd_command(u, VTD_REMAP, true) &&
			    vtd_command(u, VTD_OLD, false))
				continue;
		}
		machine_notice("IOMMU at 0x%lx not used: it does not remap interrupts", u->pa);
		while (i--)
			vtd_command(&vtd_units[i], VTD_REMAP, false);
		return false;
	}
	return true;
}
