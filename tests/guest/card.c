/* SPDX-License-Identifier: MIT */
/*
 * card.c - taking the card, and raising its interrupts.
 */
#include "card.h"

#include "edu.h"

enum { CARD_IVAR = 0xe4 / 4, IVAR_VALID = 8, VECTOR = 1 };

volatile uint32_t *card_open(struct exos_pci *card, bool dma)
{
	exo_slot claim = edu_claim(0x8086, 0x10d3);
	volatile uint32_t *regs;

	if (!claim)
		guest_skip("this machine has no e1000e");
	if (!expect_eq(exos_pci_open(card, claim), 0))
		return NULL;
	if (dma && !(card->info->flags & (EXO_PCI_DMA | EXO_PCI_UNSAFE)))
		guest_skip("no IOMMU on this machine");
	regs = exos_pci_map(card, 0, 0, CARD_REGS_BYTES, NULL);
	expect(regs != NULL);
	return regs;
}

void card_route(volatile uint32_t *regs)
{
	regs[CARD_IMC] = ~0u;           /* what is left of the last one who had it */
	regs[CARD_ICR] = ~0u;
	regs[CARD_IVAR] = IVAR_VALID | VECTOR;
	regs[CARD_IMS] = CARD_CAUSE;
}

bool card_start(struct exos_pci *card, volatile uint32_t *regs, uint32_t event)
{
	if (!expect_eq(exos_pci_dma_start(card, 0), 0) ||
	    !expect_eq(exos_pci_vector(card, VECTOR, event), 0))
		return false;
	card_route(regs);
	return true;
}

void card_raise(volatile uint32_t *regs)
{
	regs[CARD_ICR] = CARD_CAUSE;
	regs[CARD_ICS] = CARD_CAUSE;
}
