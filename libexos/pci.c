/* SPDX-License-Identifier: MIT */
/*
 * pci.c - driving one PCI function by its claim.
 *
 * Invariant: the domain lives from exos_pci_dma_start to exos_pci_close; its page tables come from
 * the program's frames and end with it.
 */
#include "core.h"

#include <base/util.h>
#include <exo/machine.h>
#include <exos/call.h>
#include <exos/cap.h>
#include <exos/frame.h>
#include <exos/pci.h>
#include <exos/start.h>

enum { CAPABILITIES = 0x34, COMMAND = 4, STATUS_CAPABILITIES = 1 << 4, CAPABILITIES_MAX = 48 };

int exos_pci_open(struct exos_pci *pci, exo_slot claim)
{
	const struct exo_cap *cap = exos_cap_look(claim);
	const struct exo_machine *m = exos_machine();
	const struct exo_pci_info *info;

	if (!cap || cap->kind != EXO_KIND_PCI)
		return -EXO_E_KIND;
	if (!m || cap->unit >= m->pcis)
		return -EXO_E_ABSENT;
	info = exos_machine_at(m->pcis_off);
	*pci = (struct exos_pci){ .claim = claim, .info = &info[cap->unit] };
	return 0;
}

int exos_pci_reset(struct exos_pci *pci)
{
	int64_t n;

	do
		n = exo_pci_reset(pci->claim);
	while (n == EXO_MORE);
	return (int)n;
}

static void tables_end(struct exos_pci *pci)
{
	for (unsigned i = 0; i < pci->tables; i++) {
		uint64_t pfn = exos_cap_look(pci->table[i])->lo;

		exos_cap_end(pci->table[i]);
		exos_frame_free(pfn, EXO_FRAMES_PT);
	}
	pci->tables = 0;
}

int exos_pci_close(struct exos_pci *pci)
{
	int err = exos_pci_reset(pci);

	if (!pci->domain.slot)
		return err;
	exos_cap_end(pci->domain.slot);
	tables_end(pci);
	exos_frame_free(pci->root_pfn, EXO_FRAMES_PT);
	pci->domain.slot = 0;
	return err;
}

uint32_t exos_pci_read(const struct exos_pci *pci, unsigned offset, unsigned size)
{
	int64_t value = exo_pci_config(pci->claim, offset, size, 0);

	return value < 0 ? ~0u : (uint32_t)value;
}

int exos_pci_command(struct exos_pci *pci, uint32_t bits)
{
	return (int)exo_pci_config(pci->claim, COMMAND, 2 | EXO_PCI_WRITE, bits);
}

unsigned exos_pci_capability(const struct exos_pci *pci, uint8_t id)
{
	unsigned at = CAPABILITIES;

	if (!(exos_pci_read(pci, COMMAND + 2, 2) & STATUS_CAPABILITIES))
		return 0;
	for (unsigned n = 0; n < CAPABILITIES_MAX; n++) {
		at = exos_pci_read(pci, at, 1) & 0xfc;
		if (at < 0x40)
			return 0;
		if (exos_pci_read(pci, at, 1) == id)
			return at;
		at++;
	}
	return 0;
}

volatile void *exos_pci_map(const struct exos_pci *pci, unsigned bar, uint64_t off, uint64_t bytes,
			    int *error)
{
	const struct exo_pci_bar *b = &pci->info->bar[bar < 6 ? bar : 0];

	if (bar > 5 || !bytes || (off | bytes) % EXO_PAGE_SIZE ||
	    !range_fits(off, bytes, b->bytes)) {
		if (error)
			*error = -EXO_E_RANGE;
		return NULL;
	}
	return exos_space_window(pci->claim, (b->pa + off) >> EXO_PAGE_SHIFT,
				 bytes >> EXO_PAGE_SHIFT, EXO_R_READ | EXO_R_WRITE, error);
}

void exos_pci_unmap(volatile void *registers, uint64_t bytes)
{
	exos_space_window_end((void *)(uintptr_t)registers, bytes >> EXO_PAGE_SHIFT);
}

/* No more tables than can be remembered. */
static int table_frames(struct exos_space *space, uint64_t count, uint64_t *pfn, exo_slot *claim)
{
	const struct exos_pci *pci = space->context;

	if (pci->tables == ARRAY_LEN(pci->table))
		return -EXO_E_ROOM;
	return core_frame_alloc(count, 1, pfn, claim);
}

/* Remember each table of the domain: they end with it. */
static void table_linked(struct exos_space *space, exo_slot table, int level)
{
	struct exos_pci *pci = space->context;

	(void)level;
	pci->table[pci->tables++] = table;
}

static int domain_make(struct exos_pci *pci)
{
	exo_slot claim;
	int err = exos_frame_alloc(EXO_FRAMES_PT, &pci->root_pfn, &claim);

	if (err)
		return err;
	err = exos_cap_retype(claim, pci->root_pfn, EXO_KIND_SPACE, EXO_SPACE_DEVICE,
			      &pci->domain.slot);
	if (err) {
		exos_frame_free(pci->root_pfn, EXO_FRAMES_PT);
		pci->domain.slot = 0;
	}
	pci->domain.tables = table_frames;
	pci->domain.linked = table_linked;
	pci->domain.context = pci;
	return err;
}

int exos_pci_dma_start(struct exos_pci *pci, uint32_t event)
{
	int err = 0;

	if (pci->info->flags & EXO_PCI_DMA) {
		if (!pci->domain.slot)
			err = domain_make(pci);
		if (!err)
			err = (int)exo_pci_bind(pci->claim, pci->domain.slot, event);
	}
	return err ? err : exos_pci_command(pci, EXO_PCI_COMMAND_MEMORY | EXO_PCI_COMMAND_MASTER);
}

int exos_pci_dma_map(struct exos_pci *pci, exo_slot claim, uint64_t pfn, uint64_t pages,
		     uint32_t prot, uint64_t *address)
{
	*address = pfn << EXO_PAGE_SHIFT;
	if (!pci->domain.slot)
		return 0;
	return exos_space_map(&pci->domain, *address, claim, pfn, pages, prot);
}

int exos_pci_dma_unmap(struct exos_pci *pci, uint64_t address, uint64_t pages)
{
	return pci->domain.slot ? exos_space_unmap(&pci->domain, address, pages) : 0;
}

int exos_pci_vector(struct exos_pci *pci, uint32_t n, uint32_t event)
{
	return (int)exo_pci_vector(pci->claim, n, event);
}

int exos_pci_ack(struct exos_pci *pci, uint32_t n)
{
	return (int)exo_pci_ack(pci->claim, n);
}
