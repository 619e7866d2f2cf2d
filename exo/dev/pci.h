/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI configuration space, the list of functions, capabilities, MSI-X.
 *
 * Invariant: used by one CPU, while booting, or with tree_lock held for a function that a PCI
 * claim is on.  A function is named by `where` = segment << 16 | bus << 8 | device << 3 |
 * function.  What a function says about itself is checked: lists end, offsets lie inside their
 * BAR.
 */
#ifndef EXO_DEV_PCI_H
#define EXO_DEV_PCI_H

#include <exo/machine.h>
#include <stdbool.h>
#include <stdint.h>

/* Configuration registers, PCI Local Bus 3.0, 6.1. */
#define PCI_ID           0x00   /* vendor, device << 16; vendor 0xffff: no function */
#define PCI_COMMAND      0x04   /* command, status << 16 */
#define PCI_CLASS        0x08   /* revision, class << 8 */
#define PCI_HEADER       0x0c   /* header type in bits 16 to 23 */
#define PCI_BAR0         0x10
#define PCI_BUSES        0x18   /* bridge: primary, secondary << 8, subordinate << 16 */
#define PCI_CAPABILITIES 0x34

#define PCI_COMMAND_MEMORY (1u << 1)
#define PCI_COMMAND_MASTER (1u << 2)
#define PCI_COMMAND_NO_INTX (1u << 10)
#define PCI_STATUS_CAPABILITIES (1u << 20)

#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

/* How configuration space is reached; off is a multiple of 4 below 4096. */
struct pci_access {
	uint32_t (*read)(uint32_t where, unsigned off);         /* all ones: nobody there */
	void (*write)(uint32_t where, unsigned off, uint32_t value);
};
extern const struct pci_access *pci_access;     /* set by pci_start; tests set a fake */

/* The functions found: [I] after boot, but what changes with claims. */
struct pci_list {
	struct exo_pci_info *info;
	uint32_t count;
};
extern struct pci_list pci;

/*
 * Choose ECAM (from `acpi`) or the legacy ports, find every function.  Takes boot_frames and
 * boot_map_device.  Without PCI: an empty list.
 */
void pci_start(void);

/* Scan with the access that is set; pci_start without the choice. Segment 0 if acpi names none. */
void pci_scan(void);

static inline uint32_t pci_read(uint32_t where, unsigned off)
{
	return pci_access->read(where, off);
}
static inline void pci_write(uint32_t where, unsigned off, uint32_t value)
{
	pci_access->write(where, off, value);
}

/* Does the boot line leave this function to programs? (pci_left.c) */
bool pci_is_left(const struct exo_pci_info *info);

/* Set and clear bits of the command register, without acknowledging status bits. */
void pci_command(uint32_t where, uint32_t set, uint32_t clear);

/*
 * The offset of the next capability with `id` behind the one at `after` (0: from the start), or 0.
 * Ends on lists that leave [0x40, 0x100), and after PCI_CAPS_MAX steps on lists that loop: a
 * caller that goes from one to the next bounds its own steps likewise.
 */
#define PCI_CAPS_MAX 48u
unsigned pci_capability(uint32_t where, uint8_t id, unsigned after);

/* A memory BAR (0 to 5): address and size in bytes.  false: none, I/O, or not set up. */
struct pci_bar {
	uint64_t pa, bytes;
};
bool pci_bar(uint32_t where, unsigned index, struct pci_bar *out);

/* Map [off, off + bytes) of a BAR for the kernel, uncached; NULL if that is not inside it. */
void *pci_map(uint32_t where, unsigned index, uint64_t off, uint64_t bytes);

/* MSI-X: the table is mapped by the kernel alone. */
struct msix {
	volatile uint32_t *table;       /* 4 words an entry */
	uint32_t entries;
	uint32_t where;
	unsigned cap;                   /* offset of the capability */
};

/* Find and map the table, mask all entries, enable MSI-X.  false: the function has none. */
bool msix_start(uint32_t where, struct msix *out);
/* Send `entry` as `vector` to the address of a CPU (msi_address), and unmask it. */
void msix_set(const struct msix *m, uint32_t entry, uint64_t address, unsigned vector);

/*
 * Let an entry send just this; mask and unmask it; switch all on, each masked.  msix_quiet
 * masks the function but leaves it on: off, it would turn to its interrupt line, and QEMU's e1000e
 * ends QEMU when a timer of it then wants to send.
 */
void msix_write(const struct msix *m, uint32_t entry, uint64_t address, uint32_t data);
void msix_mask(const struct msix *m, uint32_t entry, bool mask);
void msix_enable(const struct msix *m);
void msix_quiet(const struct msix *m);

#endif
