/* SPDX-License-Identifier: MIT */
/*
 * vtd_fault.c - what a VT-d unit says of accesses it stopped (specification 3.0, 7.2 and 10.4.14).
 *
 * Invariant: each record is read and cleared at once, by the interrupt handler: there may be
 * only one, and what happens while it is full is lost.  Nothing a device does makes the loop
 * longer than the number of records.
 */
#include "dev/vtd.h"

#include "dev/pci_function.h"
#include "kernel.h"

enum {
	FSTS_CLEAR = 0x7d,              /* every sticky bit but `record pending` */
	RECORD_BYTES = 16,
};
#define RECORD_FULL  (1ul << 63)        /* upper half */
#define RECORD_READ  (1ul << 62)
#define REASON_IRQ   0x20               /* reasons from here on are about interrupts */
#define REASON_IRQ_LAST 0x2f

static unsigned records_at(const struct vtd_unit *u)
{
	return (unsigned)(u->cap >> 24 & 0x3ff) * 16;
}

static void record_take(const struct vtd_unit *u, unsigned reg)
{
	uint64_t hi = vtd_read64(u, reg + 8), lo = vtd_read64(u, reg);
	uint32_t reason = hi >> 32 & 0xff, fault = reason;

	if (!(hi & RECORD_FULL))
		return;
	vtd_write64(u, reg + 8, RECORD_FULL);
	if (hi & RECORD_READ)
		fault |= EXO_PCI_FAULT_READ;
	if (reason >= REASON_IRQ && reason <= REASON_IRQ_LAST)
		fault |= EXO_PCI_FAULT_IRQ;
	pci_fault(u->segment << 16 | (hi & 0xffff), lo, fault);
}

static void fault_take(void *context)
{
	const struct vtd_unit *u = context;
	unsigned records = (unsigned)(u->cap >> 40 & 0xff) + 1;

	for (unsigned i = 0; i < records; i++)
		record_take(u, records_at(u) + i * RECORD_BYTES);
	vtd_write32(u, VTD_FSTS, FSTS_CLEAR);
}

/* The unit's own messages are not remapped. */
bool vtd_fault_start(struct vtd_unit *u)
{
	unsigned vector = vector_take(fault_take, u);

	if (!vector)
		return false;
	fault_take(u);
	vtd_write32(u, VTD_FEDATA, vector);
	vtd_write32(u, VTD_FEADDR, (uint32_t)msi_address(0));
	vtd_write32(u, VTD_FEUADDR, 0);
	vtd_write32(u, VTD_FECTL, 0);
	return true;
}
