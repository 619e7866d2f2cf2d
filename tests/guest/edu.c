/* SPDX-License-Identifier: MIT */
/*
 * edu.c - driving QEMU's teaching device by its PCI claim.
 *
 * Invariant: the device's own end of a copy always lies in its buffer: QEMU ends itself otherwise.
 */
#include "edu.h"

#include <exo/machine.h>
#include <exos/call.h>
#include <exos/event.h>
#include <exos/space.h>
#include <exos/start.h>
#include <exos/time.h>

enum {
	REG_ID = 0x00 / 4,
	REG_SOURCE = 0x80 / 4,
	REG_TARGET = 0x88 / 4,
	REG_COUNT = 0x90 / 4,
	REG_COMMAND = 0x98 / 4,
	COMMAND_START = 1,
	COMMAND_TO_MEMORY = 2,
	BUFFER = 0x40000,
	WORDS = EXO_PAGE_SIZE / 8,
};
#define COPY_MS 100u            /* the device takes its time: so long, always */
#define LIMIT_NS 5000000000ull

exo_slot edu_claim(uint16_t vendor, uint16_t device)
{
	const struct exo_pci_info *info = exos_machine_at(exos_machine()->pcis_off);
	const struct exos_grant *g;

	for (unsigned n = 0; (g = exos_grant("pci", n)); n++)
		if (info[g->unit].vendor == vendor && info[g->unit].device == device)
			return g->slot;
	return 0;
}

bool edu_open(struct edu *edu, bool dma)
{
	exo_slot claim = edu_claim(0x1234, 0x11e8);
	int err;

	if (!claim)
		guest_skip("this machine has no edu device");
	if (!expect_eq(exos_pci_open(&edu->pci, claim), 0))
		return false;
	if (dma && !(edu->pci.info->flags & EXO_PCI_DMA))
		guest_skip("no IOMMU on this machine");
	edu->regs = exos_pci_map(&edu->pci, 0, 0, EXO_PAGE_SIZE, &err);
	if (!expect(edu->regs != NULL))
		return false;
	edu->event = exos_event_alloc();
	if (!dma)
		return true;
	return expect_eq(exos_pci_dma_start(&edu->pci, edu->event), 0) &&
	       expect_eq(edu->regs[REG_ID] & 0xff, 0xed);
}

void edu_close(struct edu *edu)
{
	exos_pci_unmap(edu->regs, EXO_PAGE_SIZE);
	expect_eq(exos_pci_close(&edu->pci), 0);
	exos_event_free(edu->event);
}

static void copy_start(const struct edu *edu, uint64_t source, uint64_t target, uint32_t bytes,
		       uint32_t command)
{
	edu->regs[REG_SOURCE] = (uint32_t)source;
	edu->regs[REG_SOURCE + 1] = (uint32_t)(source >> 32);
	edu->regs[REG_TARGET] = (uint32_t)target;
	edu->regs[REG_TARGET + 1] = (uint32_t)(target >> 32);
	edu->regs[REG_COUNT] = bytes;
	edu->regs[REG_COMMAND] = command | COMMAND_START;
}

static void copy_wait(const struct edu *edu)
{
	uint64_t end = exos_deadline(LIMIT_NS);

	guest_pause_ms(COPY_MS);
	while ((edu->regs[REG_COMMAND] & COMMAND_START) && exos_tsc() < end)
		guest_pause_ms(1);
	expect(!(edu->regs[REG_COMMAND] & COMMAND_START));
}

void edu_read(const struct edu *edu, uint64_t address, uint32_t bytes)
{
	copy_start(edu, address, BUFFER, bytes, 0);
	copy_wait(edu);
}

void edu_write_start(const struct edu *edu, uint64_t address, uint32_t bytes)
{
	copy_start(edu, BUFFER, address, bytes, COMMAND_TO_MEMORY);
}

void edu_write_wait(const struct edu *edu)
{
	copy_wait(edu);
}

void edu_write(const struct edu *edu, uint64_t address, uint32_t bytes)
{
	edu_write_start(edu, address, bytes);
	edu_write_wait(edu);
}

void edu_write_from(const struct edu *edu, uint32_t offset, uint64_t address, uint32_t bytes)
{
	copy_start(edu, BUFFER + offset, address, bytes, COMMAND_TO_MEMORY);
	copy_wait(edu);
}

bool edu_page_make(struct edu_page *page, uint64_t value)
{
	if (!expect_eq(guest_frames_make(&page->frames, 1), 0))
		return false;
	page->words = exos_space_window(page->frames.slot, page->frames.lo, 1, GUEST_RW, NULL);
	if (!expect(page->words != NULL))
		return false;
	for (unsigned i = 0; i < WORDS; i++)
		page->words[i] = value;
	return true;
}

void edu_page_end(struct edu_page *page)
{
	exos_space_window_end((void *)(uintptr_t)page->words, 1);
	guest_frames_end(&page->frames);
}

unsigned edu_page_wrong(const struct edu_page *page, uint64_t value)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < EDU_BYTES / 8; i++)
		wrong += page->words[i] != value;
	return wrong;
}
