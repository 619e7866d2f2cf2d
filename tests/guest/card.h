/* SPDX-License-Identifier: MIT */
/*
 * card.h - an Intel 82574 of which only the interrupts are used: software sets their causes (data
 * sheet 10.2).
 */
#ifndef GUEST_CARD_H
#define GUEST_CARD_H

#include <exos/pci.h>

#include "guest.h"

#define CARD_REGS_BYTES 0x1000u

enum {
	CARD_ICR = 0xc0 / 4,
	CARD_ICS = 0xc8 / 4,
	CARD_IMS = 0xd0 / 4,
	CARD_IMC = 0xd8 / 4,
	CARD_CAUSE = 1 << 20,           /* of receive queue 0 */
};

/*
 * Take the card and map its registers; NULL and a noted failure if that does not work.  Skips the
 * test if there is no card, or, with `dma`, if a program may not let it write to memory.
 */
volatile uint32_t *card_open(struct exos_pci *card, bool dma);

/* Give it memory and let it interrupt by MSI-X vector 1, posting `event`. */
bool card_start(struct exos_pci *card, volatile uint32_t *regs, uint32_t event);

/* The part of that which the card itself is told: its causes go to vector 1. */
void card_route(volatile uint32_t *regs);

/* Raise an interrupt. */
void card_raise(volatile uint32_t *regs);

#endif
