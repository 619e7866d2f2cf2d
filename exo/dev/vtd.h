/* SPDX-License-Identifier: MIT */
/*
 * vtd.h - between the files of vtd*.c: Intel VT-d (specification 3.0) units.
 *
 * Invariant: a unit is used only while `works`; one that does not complete an invalidation in time
 * never is again, and bus mastering of what it translates for is off from then on.
 */
#ifndef EXO_DEV_VTD_H
#define EXO_DEV_VTD_H

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

/* Registers, 10.4: offsets in bytes. */
enum {
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	VTD_GCMD = 0x18,
	VTD_GSTS = 0x1c,
	VTD_RTADDR = 0x20,
	VTD_FSTS = 0x34,
	VTD_FECTL = 0x38,
	VTD_FEDATA = 0x3c,
	VTD_FEADDR = 0x40,
	VTD_FEUADDR = 0x44,
	VTD_IQH = 0x80,
	VTD_IQT = 0x88,
	VTD_IQA = 0x90,
	VTD_IRTA = 0xb8,
};

/* Global commands and their states. */
#define VTD_TRANSLATE (1u << 31)
#define VTD_SET_ROOT  (1u << 30)
#define VTD_QUEUE     (1u << 26)
#define VTD_REMAP     (1u << 25)
#define VTD_SET_IRT   (1u << 24)
#define VTD_OLD       (1u << 23)        /* messages in the old format pass */
#define VTD_KEPT      0x96ffffffu       /* states that a command keeps: not the one-shot ones */

#define VTD_MAX_UNITS 16u

/* A root or context entry, or one of the remapping table. */
struct vtd_entry {
	uint64_t lo, hi;
};

struct vtd_unit {
	struct lock lock;               /* queue */
	volatile uint8_t *regs;         /* [I] */
	uint64_t pa, cap, ecap;         /* [I] */
	uint32_t segment;               /* [I] */
	uint32_t scopes_off, scopes_end;/* [I] in the DMAR table */
	bool all;                       /* [I] the segment's functions that no other unit has */
	bool works;                     /* [a] */
	struct vtd_entry *root;         /* [I] 256 entries */
	struct vtd_entry *queue;        /* [I] 256 descriptors */
	volatile uint32_t *done;        /* [I] where it says how far it came */
	uint32_t tail, asked;
};
extern struct vtd_unit vtd_units[VTD_MAX_UNITS];
extern uint32_t vtd_count;

static inline uint32_t vtd_read32(const struct vtd_unit *u, unsigned reg)
{
	return *(volatile uint32_t *)(u->regs + reg);
}
static inline void vtd_write32(const struct vtd_unit *u, unsigned reg, uint32_t v)
{
	*(volatile uint32_t *)(u->regs + reg) = v;
}
static inline uint64_t vtd_read64(const struct vtd_unit *u, unsigned reg)
{
	return *(volatile uint64_t *)(u->regs + reg);
}
static inline void vtd_write64(const struct vtd_unit *u, unsigned reg, uint64_t v)
{
	*(volatile uint64_t *)(u->regs + reg) = v;
}

/* Write a command and wait until its state is as told: false if it does not come. */
bool vtd_command(struct vtd_unit *u, uint32_t bit, bool on);

/* The caches that a unit may have to forget. */
enum { VTD_CONTEXTS = 1, VTD_PAGES = 2, VTD_INTERRUPTS = 4 };
/* Returns when all is forgotten and what was under way is finished, or the unit works no more. */
void vtd_forget(struct vtd_unit *u, unsigned what);
void vtd_forget_all(unsigned what);

/* Write an entry so that the unit sees all of it or, while it is not present, nothing. */
void vtd_entry_set(struct vtd_entry *e, uint64_t lo, uint64_t hi);

/* The unit that translates for a function (vtd_scope.c), or NULL. */
struct vtd_unit *vtd_unit_of(uint32_t where);
/* Fill the list of units from the DMAR table: false, said in words, if there is none to use. */
bool vtd_units_find(void);
/* Does the firmware go on using the function's DMA (a reserved region)? */
bool vtd_reserved(uint32_t where);
/* Requester id of an I/O APIC; false: no unit names it. */
bool vtd_ioapic_requester(uint8_t id, uint32_t *requester);

/* vtd_irq.c: make the table and switch it on for all units. */
bool vtd_irq_start(void);

/* vtd_fault.c: have the unit tell of stopped accesses. */
bool vtd_fault_start(struct vtd_unit *u);

#endif
