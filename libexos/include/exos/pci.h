/* SPDX-License-Identifier: MIT */
/*
 * pci.h - driving one PCI function by its claim: registers, DMA, interrupts.
 *
 * Invariant: a device uses for each frame the physical address of it, whether an IOMMU translates
 * (the domain maps frames there) or not (boot word dma=unsafe), if its frames are mapped by
 * exos_pci_dma_map; who wants other addresses maps in `domain` by exos_space_map.
 */
#ifndef EXOS_PCI_H
#define EXOS_PCI_H

#include <exo/pci.h>
#include <exos/space.h>
#include <stdbool.h>

/* Page tables of a domain, at most: each covers 2 MiB of addresses. */
#define EXOS_PCI_TABLES 128u

struct exos_pci {
	exo_slot claim;
	const struct exo_pci_info *info;
	struct exos_space domain;       /* slot 0: none */
	uint64_t root_pfn;              /* frames of the domain's top-level table */
	exo_slot table[EXOS_PCI_TABLES];        /* its other tables */
	uint32_t tables;
};

/*
 * Begin to drive a function; takes nothing.  0; -EXO_E_KIND: not a PCI claim; -EXO_E_ABSENT: no
 * list of functions to see (no claim named `export`).
 */
int exos_pci_open(struct exos_pci *pci, exo_slot claim);

/* Reset the function, which detaches domain and vectors, and end the domain.  0 or -EXO_E_*. */
int exos_pci_close(struct exos_pci *pci);

/* Reset until done. */
int exos_pci_reset(struct exos_pci *pci);

/* Configuration space; all ones where nobody answers or the arguments are wrong. */
uint32_t exos_pci_read(const struct exos_pci *pci, unsigned offset, unsigned size);

/* Set EXO_PCI_COMMAND_* bits as in `bits`; 0 or -EXO_E_*. */
int exos_pci_command(struct exos_pci *pci, uint32_t bits);

/* Offset of the first capability with this id, or 0. */
unsigned exos_pci_capability(const struct exos_pci *pci, uint8_t id);

/*
 * Map bytes [off, off + bytes) of a memory BAR (0 to 5), uncached, both multiples of 4096 and
 * without the MSI-X pages; NULL: it cannot be (*error, if not NULL, says why).
 */
volatile void *exos_pci_map(const struct exos_pci *pci, unsigned bar, uint64_t off, uint64_t bytes,
			    int *error);
void exos_pci_unmap(volatile void *registers, uint64_t bytes);

/*
 * Make and bind a domain (where there is an IOMMU), then bus mastering and memory on.  event:
 * posted when an access of the device was stopped, or 0.  0 or -EXO_E_*; ABSENT: no IOMMU, and
 * not dma=unsafe.
 */
int exos_pci_dma_start(struct exos_pci *pci, uint32_t event);

/*
 * Let the device use `pages` frames from pfn, held by the FRAME claim; prot EXO_R_READ, with
 * EXO_R_WRITE if it may write.  The address for the device in *address: that of the frame.
 */
int exos_pci_dma_map(struct exos_pci *pci, exo_slot claim, uint64_t pfn, uint64_t pages,
		     uint32_t prot, uint64_t *address);
/* The device reaches them no more when this returns. */
int exos_pci_dma_unmap(struct exos_pci *pci, uint64_t address, uint64_t pages);

/* MSI-X vector n posts event entry `event` (0: masked); let it come again.  0 or -EXO_E_*. */
int exos_pci_vector(struct exos_pci *pci, uint32_t n, uint32_t event);
int exos_pci_ack(struct exos_pci *pci, uint32_t n);

#endif
