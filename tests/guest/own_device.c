/* SPDX-License-Identifier: MIT */
/*
 * own_device.c - finding functions that the kernel leaves to programs.
 */
#include "own_device.h"

#include <exo/pci.h>
#include <exos/cap.h>
#include <exos/spawn.h>
#include <exos/start.h>

static const struct exo_pci_info *function_of(exo_slot claim)
{
	const struct exo_machine *m = exos_machine();
	const struct exo_pci_info *info = exos_machine_at(m->pcis_off);
	const struct exo_cap *cap = exos_cap_look(claim);

	return cap && cap->kind == EXO_KIND_PCI && cap->unit < m->pcis ? &info[cap->unit] : NULL;
}

static bool function_is(const struct exo_pci_info *f, uint32_t class_code, uint32_t id)
{
	return (!class_code || f->class_code == class_code) &&
	       (!id || ((uint32_t)f->vendor << 16 | f->device) == id);
}

exo_slot own_device_find(uint32_t class_code, uint32_t id, const char *name)
{
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant_at(n)); n++) {
		const struct exo_pci_info *f = function_of(g->slot);

		if (!f || !function_is(f, class_code, id))
			continue;
		if (!(f->flags & (EXO_PCI_DMA | EXO_PCI_UNSAFE)))
			guest_skip("no IOMMU holds a device to its program's frames");
		return g->slot;
	}
	guest_skip(name);
}

uint64_t own_device_entries(void)
{
	const volatile struct exo_env_page *page = exos_page();

	return page->calls + page->faults;
}
