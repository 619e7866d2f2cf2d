/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI functions as claims: registers, DMA, interrupts of one device function.
 *
 * A PCI claim is for one whole function that the kernel does not drive.  It is narrowed only by
 * giving it on: while a claim derived from it lives, the parent can only revoke.  A function is
 * reset, and reaches nothing, between one holder and the next.
 *
 * What a device can and cannot do is as sure as the IOMMU: see exo/dev/vtd_irq.c for QEMU's, which
 * does not stop interrupt messages that a device writes by DMA.  Functions of one device may reach
 * each other's registers behind the IOMMU's back; so can devices below one switch, which get none.
 *
 * Rights: EXO_R_MAP to map its registers; EXO_R_CONTROL for calls that change anything; every
 * claim lets its holder read configuration space.
 *
 * Registers: whole pages of memory BARs are mapped by exo_space_update with the PCI claim
 * (EXO_MAP, pfn = physical page, 4 KiB pages; EXO_R_READ, EXO_R_WRITE; uncached).  RANGE: a page
 * that is not wholly in a BAR in `bar` of struct exo_pci_info, or holds part of the MSI-X table
 * or its pending bits; those are the kernel's.
 *
 * DMA: a device reaches only frames mapped in its domain, a SPACE made with EXO_SPACE_DEVICE, by
 * FRAME claims; the address in that space is the one the device uses.  Without an IOMMU that
 * translates for the function there is no bus mastering, but for the boot word dma=unsafe: then
 * there is no domain either, and the device uses physical addresses of any frame.
 *
 * Interrupts: MSI-X only.  A vector posts an event; one that comes again before exo_pci_ack is
 * kept back by the device's mask until then: at most two posts between two acknowledgements.
 */
#ifndef EXO_PCI_H
#define EXO_PCI_H

#include <exo/types.h>

/*
 * exo_pci_config(pci, offset, size, value): configuration space of the function.
 *   offset  0 to 4095 (beyond 255: all ones where there is no extended configuration space), a
 *           multiple of the size
 *   size    1, 2 or 4 bytes; | EXO_PCI_WRITE: write `value`
 * Returns what was read (0 to 0xffffffff), or 0.  Writes go through for these fields only:
 *   0x04, 2 bytes  command: EXO_PCI_COMMAND_* as in value, the other bits stay
 *   0x06, 2 bytes  status: ones clear error bits
 * All other fields are the kernel's: BARs, MSI, MSI-X.  Errors of this and the calls below:
 * refusals.def.
 */
#define EXO_PCI_WRITE 0x10
#define EXO_PCI_COMMAND_IO     0x1      /* answer at its ports */
#define EXO_PCI_COMMAND_MEMORY 0x2      /* answer at its memory BARs; on after a reset */
#define EXO_PCI_COMMAND_MASTER 0x4      /* DMA and interrupts */

/*
 * exo_pci_bind(pci, space, event): what the device reaches.
 *   space   SPACE claim with EXO_R_CONTROL made with EXO_SPACE_DEVICE, which may serve several
 *           functions; 0: nothing, and bus mastering goes off
 *   event   entry of the caller's ring, posted when an access of the device was stopped; 0: none
 */

/*
 * exo_pci_vector(pci, n, event): post `event` of the caller when MSI-X vector n comes, from now
 * on; 0: mask it.  n below `vectors` of struct exo_pci_info.  MSI-X is on from the first vector
 * to the next reset; messages need EXO_PCI_COMMAND_MASTER.
 */

/*
 * exo_pci_ack(pci, n): let MSI-X vector n come again.  One that was kept back comes at once.
 */

/*
 * exo_pci_reset(pci) -> 0 or EXO_MORE: detach domain and vectors, bus mastering off, reset the
 * function as far as it can be reset (EXO_PCI_RESET_*), restore its BARs.  Mappings of its
 * registers stay.  Needed before a claim that was used is given on; the end of a claim does it
 * by itself.  Takes 100 ms of other people's time: call again while it says EXO_MORE.
 */

/* A memory BAR: physical address and size in bytes; 0 bytes: none, I/O, or not to be mapped. */
struct exo_pci_bar {
	uint64_t pa, bytes;
};

/* Why an access was stopped: the IOMMU's own word (VT-d 3.0, appendix A) and what it was. */
#define EXO_PCI_FAULT_READ  0x100       /* a read; else a write */
#define EXO_PCI_FAULT_IRQ   0x200       /* an interrupt message; iova: its index << 48 */
#define EXO_PCI_FAULT_REASON 0xff

/* One function, as exported: [k] all. */
struct exo_pci_info {
	uint16_t vendor, device;
	uint32_t where;         /* segment << 16 | bus << 8 | device << 3 | function */
	uint32_t class_code;    /* class << 16 | subclass << 8 | programming interface */
	uint32_t used;          /* 1: driven by the kernel, to share it */
	exo_sid  root;          /* PCI claim; 0: none (driven by the kernel, or a bridge) */
	uint32_t flags;         /* EXO_PCI_* */
	uint32_t vectors;       /* MSI-X vectors; 0: none */
	exo_sid  holder;        /* claim that bound its domain; 0: none */
	uint64_t domain;        /* pfn of the SPACE bound, 0: none */
	uint64_t faults;        /* accesses of it that were stopped and reported */
	uint64_t fault_iova;    /* the last: address, */
	uint32_t fault;         /* EXO_PCI_FAULT_* and reason, */
	exo_sid  fault_holder;  /* the claim that had its domain bound then, 0: none */
	uint64_t interrupts;    /* MSI-X messages taken for its claims */
	uint16_t table_bar, table_pages;        /* MSI-X table: BAR; pages never mapped, */
	uint32_t table_page;    /* from this page of the BAR on; nor are those of pending bits */
	struct exo_pci_bar bar[6];
};
_Static_assert(sizeof(struct exo_pci_bar) == 16, "ABI: exo_pci_bar");
_Static_assert(sizeof(struct exo_pci_info) == 176, "ABI: exo_pci_info");

#define EXO_PCI_DMA       0x01  /* an IOMMU translates for it: domains can be bound */
#define EXO_PCI_IRQ_SAFE  0x02  /* its messages are held to its own vectors */
#define EXO_PCI_UNSAFE    0x04  /* dma=unsafe: bus mastering without a domain */
#define EXO_PCI_RESET_FLR 0x08  /* it can be reset by itself (function-level reset) */
#define EXO_PCI_RESET_PM  0x10  /* it is reset by power state D3hot and back */

#endif
