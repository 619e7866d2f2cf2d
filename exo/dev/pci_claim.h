/* SPDX-License-Identifier: MIT */
/*
 * pci_claim.h - claims on PCI functions: what their holders may do to the device and with it.
 *
 * Invariant: the claims on one function are a chain in the derivation tree; only the deepest can be
 * used or given on.  Everything here but pci_vectors_release runs with tree_lock held.
 */
#ifndef EXO_PCI_CLAIM_H
#define EXO_PCI_CLAIM_H

#include "claim.h"

/* May the whole claim be given on?  SPLIT; MAPPED: it was used, and is to be reset first. */
int pci_give_check(const struct exo_cap *parent);

/* May the claim map these frames?  The rights it allows, or an error. */
int pci_map_check(const struct exo_cap *c, uint64_t pfn, uint64_t count);

/* The claim was used to map registers: the function is to be reset before anybody else has it. */
void pci_use(const struct exo_cap *c);

/* A piece of ending what the claim was used for, its mappings being gone: 0 or EXO_MORE. */
int pci_unbind(const struct exo_cap *c);

/* The DEVICE space at `pfn` ends: no function reaches anything by it when this returns. */
void pci_space_end(uint64_t pfn);

/* An environment ends: the vector or the faults of a function (its index) are told to nobody. */
void pci_vector_forget(uint64_t vector);
void pci_fault_forget(uint64_t index);

/* As irqs_release, for vectors of claimed functions. */
void pci_vectors_release(void);

/* The claim that `e` names, ready for a change: STALE, KIND, RIGHTS, FROZEN, SPLIT, BUSY. */
struct pci_function;
int pci_claim_find(struct env *e, uint64_t name, struct exo_cap **c, struct pci_function **f);

#endif
