/* SPDX-License-Identifier: MIT */
/*
 * pci_function.h - what the kernel knows of each PCI function, and keeps for the claims on it.
 *
 * Invariant: `user` is the claim by which a function was used since its last reset; it has no
 * child. Domain, vectors and a fault event exist only with a user, and bus mastering of a
 * function that the kernel does not drive only with a domain or under dma=unsafe.  All [t] with
 * tree_lock held.
 */
#ifndef EXO_DEV_PCI_FUNCTION_H
#define EXO_DEV_PCI_FUNCTION_H

#include <exo/machine.h>
#include <stdbool.h>
#include <stdint.h>

#include "dev/pci.h"
#include "env.h"
#include "lock.h"

/* How far a reset is. */
enum pci_reset_step {
	PCI_RESET_NONE,
	PCI_RESET_QUIET,        /* it reaches nothing any more */
	PCI_RESET_FLR,          /* resetting itself */
	PCI_RESET_D3,           /* in power state D3hot */
	PCI_RESET_D0,           /* coming back from it */
	PCI_RESET_AWAKE,        /* finished but for what the kernel restores */
};

#define PCI_HIDDEN 2u           /* runs of pages never mapped: MSI-X table, pending bits */
struct pci_pages {
	uint64_t lo, hi;        /* pfn */
};

struct pci_function {
	struct exo_pci_info *info;      /* [I] */
	uint32_t requester;             /* [I] segment and requester id of its accesses */
	bool     alone;                 /* [I] nobody else's accesses carry that id, and no switch
					 * lies between it and the IOMMU */
	bool     started;               /* [t] MSI-X is on, all masked */
	uint16_t flr, power;            /* [I] capabilities by which it is reset, 0: none */
	struct pci_pages hidden[PCI_HIDDEN];    /* [I] */
	uint32_t header[16];            /* [I] configuration space as the firmware left it */
	struct msix msix;               /* [I] entries 0: no MSI-X */
	exo_sid  user;                  /* [t] */
	uint32_t step;                  /* [t] enum pci_reset_step */
	uint64_t step_tsc;              /* [t] when it began */
	struct pci_function *next;      /* [t] others with the same domain */
	struct lock lock;               /* what the fault handler reads: */
	struct env *env;                /* told of faults, or NULL */
	uint32_t entry;
	uint32_t told;                  /* faults since its domain was bound */
};

/* Find out about every function; after all drivers, which set `used`.  Boot only. */
void pci_functions_start(void);
struct pci_function *pci_function_at(uint32_t index);

/* Can there be a claim on it?  Not for bridges and what the kernel drives or shows. */
bool pci_function_given(const struct pci_function *f);

/* All functions that claims may be on: bus mastering off, for good (an IOMMU failed). */
void pci_functions_stop(void);

/* The id that accesses of a function carry; *alone: see struct pci_function (may be NULL). */
uint32_t pci_requester(uint32_t where, bool *alone);

/* An access of this requester was stopped; interrupt context. */
void pci_fault(uint32_t requester, uint64_t iova, uint32_t fault);

/* May this page be mapped by a claim on it? */
bool pci_page_is_open(const struct pci_function *f, uint64_t pfn);

/*
 * A piece of resetting: 0 or EXO_MORE.  It never ends in the call that began it, so that mappings
 * taken away before are gone everywhere when the device is reset.  tree_lock held.
 */
int pci_reset_step(struct pci_function *f);

/* Off go domain and fault event; the function reaches nothing when it returns.  tree_lock held. */
void pci_domain_leave(struct pci_function *f);

/* Off go all MSI-X vectors of it. */
void pci_vectors_end(struct pci_function *f);

#endif
