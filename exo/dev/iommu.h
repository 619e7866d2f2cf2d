/* SPDX-License-Identifier: MIT */
/*
 * iommu.h - what stands between devices and the rest of the machine: Intel VT-d.
 *
 * Invariant: once iommu_guard has run, a function that the kernel does not drive reaches no memory
 * but what the tables bound to it name, and raises no interrupt but those made for it here.
 * Without a usable IOMMU everything here says so and changes nothing.
 */
#ifndef EXO_DEV_IOMMU_H
#define EXO_DEV_IOMMU_H

#include <stdbool.h>
#include <stdint.h>

#include "dev/acpi.h"

struct pci_function;

/* Find the units that ACPI names and switch interrupt remapping on.  After pci_start. */
void iommu_start(void);

/* Is there interrupt remapping? Translation comes with it or not at all. */
bool iommu_present(void);

/*
 * Translate from now on: functions driven by the kernel pass through, all others are stopped.
 * Boot only, when all drivers have started.
 */
void iommu_guard(void);

/* Does a unit translate for this function, and can its accesses be told from those of others? */
bool iommu_covers(const struct pci_function *f);

/*
 * The function reaches what the tables of the space at `root` (pfn; 4 levels) name, with nothing
 * cached; or nothing any more, when iommu_detach returns.  tree_lock held.  -EXO_E_DEVICE: a unit
 * has stopped answering; then nothing has changed.
 */
int iommu_attach(const struct pci_function *f, uint64_t root);
void iommu_detach(const struct pci_function *f);

/* Stop reporting what the function does wrong, until it is attached anew. */
void iommu_hush(const struct pci_function *f);

/*
 * Interrupt messages.  The kernel's, at boot: the address and data that make `where` (its
 * requester) raise `vector` at the CPU that `address` (msi_address) names; and the 64 bits of an
 * I/O APIC's entry, but its mask.  Both unchanged without remapping.
 */
struct iommu_message {
	uint64_t address;
	uint32_t data;
};
struct iommu_message iommu_message(uint32_t where, uint64_t address, unsigned vector);
uint64_t iommu_ioapic_entry(const struct acpi_ioapic *io, uint64_t entry, uint32_t apic_id);

/* Those of a claim: one for each vector at most; cleared before the vector has another use. */
struct iommu_message iommu_vector_set(uint32_t requester, uint64_t address, unsigned vector);
void iommu_vector_clear(unsigned vector);

#endif
