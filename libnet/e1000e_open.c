/* SPDX-License-Identifier: MIT */
/*
 * e1000e_open.c - taking an Intel 82574 into use by its PCI claim, waiting, giving it back.
 *
 * Invariant: the frames that the card may reach are given back only after it was reset and they
 * left its domain.
 */
#include <base/string.h>
#include <exo/cap.h>
#include <exo/errors.h>
#include <exos/event.h>
#include <exos/frame.h>
#include <exos/space.h>
#include <exos/time.h>
#include <net/e1000e.h>

#define REGISTERS 0x20000u              /* all of BAR 0 */
#define INTEL     0x8086
#define CARD      0x10d3
#define VECTOR    0

static int memory_make(struct net_e1000e *card)
{
	exo_slot claim;
	int err = exos_frame_alloc(NET_E1000E_PAGES, &card->pfn, &claim);

	if (err < 0) {
		card->pfn = 0;
		return err;
	}
	card->memory = exos_space_window(claim, card->pfn, NET_E1000E_PAGES,
					 EXO_R_READ | EXO_R_WRITE, &err);
	if (!card->memory)
		return err;
	return exos_pci_dma_map(&card->pci, claim, card->pfn, NET_E1000E_PAGES,
				EXO_R_READ | EXO_R_WRITE, &card->dma);
}

static int card_attach(struct net_e1000e *card)
{
	int err;

	card->registers = exos_pci_map(&card->pci, 0, 0, REGISTERS, &err);
	if (!card->registers)
		return err;
	err = exos_pci_dma_start(&card->pci, 0);
	if (!err)
		err = memory_make(card);
	if (!err && card->event)
		err = exos_pci_vector(&card->pci, VECTOR, card->event);
	if (err)
		return err;
	card->clock_ns = exos_ns;
	card->why = net_e1000e_start(card);
	return card->why ? -EXO_E_DEVICE : 0;
}

int net_e1000e_open(struct net_e1000e *card, exo_slot claim, uint32_t event)
{
	const struct exo_pci_info *info;
	int err;

	memset(card, 0, sizeof *card);
	card->event = event;
	err = exos_pci_open(&card->pci, claim);
	if (err < 0)
		return err;
	info = card->pci.info;
	if (info->vendor != INTEL || info->device != CARD || info->bar[0].bytes < REGISTERS) {
		card->why = "it is no 82574";
		err = -EXO_E_DEVICE;
	} else {
		err = card_attach(card);
	}
	if (err < 0)
		net_e1000e_close(card);
	return err;
}

void net_e1000e_close(struct net_e1000e *card)
{
	exos_pci_reset(&card->pci);
	if (card->dma)
		exos_pci_dma_unmap(&card->pci, card->dma, NET_E1000E_PAGES);
	if (card->memory)
		exos_space_window_end(card->memory, NET_E1000E_PAGES);
	if (card->pfn)
		exos_frame_free(card->pfn, NET_E1000E_PAGES);
	if (card->registers)
		exos_pci_unmap(card->registers, REGISTERS);
	exos_pci_close(&card->pci);
	card->registers = NULL;
	card->memory = NULL;
	card->dma = card->pfn = 0;
}

/* Is there a packet?  Its descriptor is looked at, and left. */
static bool card_filled(struct net_e1000e *card)
{
	uint32_t bytes;

	if (!net_e1000e_take(card, &bytes))
		return false;
	card->rx_next--;
	return true;
}

bool net_e1000e_wait(struct net_e1000e *card, uint64_t deadline_tsc)
{
	while (!card_filled(card)) {
		if (!card->event) {
			if (exos_tsc() >= deadline_tsc)
				return false;
			continue;
		}
		net_e1000e_arm(card);
		if (card_filled(card))
			return true;
		card->waits++;
		if (!exos_event_wait(card->event, deadline_tsc))
			return card_filled(card);
		card->waits++;
		exos_pci_ack(&card->pci, VECTOR);
	}
	return true;
}
