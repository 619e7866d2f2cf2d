/* SPDX-License-Identifier: MIT */
/*
 * edu.h - QEMU's teaching device: a DMA engine that copies between memory and a buffer of its own,
 * wherever it is told to (QEMU, docs/specs/edu.txt).
 */
#ifndef GUEST_EDU_H
#define GUEST_EDU_H

#include <exos/pci.h>

#include "guest.h"

struct edu {
	struct exos_pci pci;
	volatile uint32_t *regs;
	uint32_t event;                 /* posted when an access of it was stopped */
};

/* The claim on the first function with these ids, or 0. */
exo_slot edu_claim(uint16_t vendor, uint16_t device);

/* Take the device, and with `dma` give it an empty domain; skips the test if that cannot be. */
bool edu_open(struct edu *edu, bool dma);
void edu_close(struct edu *edu);

/* The most that is copied at a time; QEMU ends itself when a copy ends where the buffer does. */
#define EDU_BYTES 2048u

/* Copy `bytes` (at most EDU_BYTES) from an address into the device's buffer; and back out of it. */
void edu_read(const struct edu *edu, uint64_t address, uint32_t bytes);
void edu_write(const struct edu *edu, uint64_t address, uint32_t bytes);
/* The same in halves: the device begins, and copies a tenth of a second later; wait for that. */
void edu_write_start(const struct edu *edu, uint64_t address, uint32_t bytes);
void edu_write_wait(const struct edu *edu);
/* The same from `offset` of the buffer on; offset + bytes at most EDU_BYTES. */
void edu_write_from(const struct edu *edu, uint32_t offset, uint64_t address, uint32_t bytes);

/* A page of memory of the test's own: mapped, with a claim of its own. */
struct edu_page {
	struct guest_frames frames;
	volatile uint64_t *words;
};
bool edu_page_make(struct edu_page *page, uint64_t value);
void edu_page_end(struct edu_page *page);
/* Words of its first EDU_BYTES that are not `value`. */
unsigned edu_page_wrong(const struct edu_page *page, uint64_t value);

#endif
