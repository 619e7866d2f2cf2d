/* SPDX-License-Identifier: MIT */
/*
 * own_virtual.c - SR-IOV: a function's holder makes no further functions of it.
 *
 * A virtual function would access memory under a number of its own that no claim stands for.  The
 * kernel switches none on, so none is there to be given; the capability is found and left alone.
 */
#include <exos/call.h>
#include <exos/console.h>
#include <exos/pci.h>
#include <exos/start.h>

#include "own_device.h"

enum {                          /* PCI Express 4.0, 9.3.3: the SR-IOV capability */
	CAPABILITY = 0x10, FIRST = 0x100, WALK_MAX = 64,
	CONTROL = 0x08, TOTAL = 0x0e, NUMBER = 0x10, ENABLE = 1 << 0, MEMORY = 1 << 3,
};

/* Where the function's SR-IOV capability stands, or 0. */
static unsigned sriov_find(const struct exos_pci *pci)
{
	unsigned at = FIRST;

	for (unsigned n = 0; n < WALK_MAX && at >= FIRST; n++) {
		uint32_t head = exos_pci_read(pci, at, 4);

		if (!head || head == ~0u)
			return 0;
		if ((head & 0xffff) == CAPABILITY)
			return at;
		at = head >> 20 & 0xffc;
	}
	return 0;
}

static unsigned function_find(struct exos_pci *pci)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)); n++) {
		unsigned at = g->kind == EXO_KIND_PCI && !exos_pci_open(pci, g->slot) ?
			sriov_find(pci) : 0;

		if (at)
			return at;
	}
	return 0;
}

EXO_TEST(own_function_makes_no_virtual_functions, PCI)
{
	static struct exos_pci pci;
	unsigned at = function_find(&pci);
	exo_slot c;

	if (!at)
		guest_skip("no function with SR-IOV here");
	c = pci.claim;
	printf("SR-IOV: %u virtual functions could be made; the kernel makes none yet\n",
	       exos_pci_read(&pci, at + TOTAL, 2));
	expect(exos_pci_read(&pci, at + TOTAL, 2) > 0);
	expect_error(exo_pci_config(c, at + NUMBER, 2 | EXO_PCI_WRITE, 1), RIGHTS);
	expect_error(exo_pci_config(c, at + CONTROL, 2 | EXO_PCI_WRITE, ENABLE | MEMORY), RIGHTS);
	expect_error(exo_pci_config(c, at + CONTROL, 4 | EXO_PCI_WRITE, ENABLE | MEMORY), RIGHTS);
	expect_eq(exos_pci_read(&pci, at + NUMBER, 2), 0);
	expect_eq(exos_pci_read(&pci, at + CONTROL, 2) & ENABLE, 0);
	/* A field that is the holder's beside it. */
	expect_eq(exos_pci_command(&pci, EXO_PCI_COMMAND_MEMORY), 0);
}
