/* SPDX-License-Identifier: MIT */
/*
 * ioapic.h - the I/O APICs: global interrupts to vectors.
 *
 * Invariant: an input is masked unless ioapic_unmask was the last thing asked of it; the 8259s are
 * masked for good.  Who receives an interrupt is irq.c's business.
 */
#ifndef EXO_X86_IOAPIC_H
#define EXO_X86_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* How an input is wired: by the MADT's overrides, else ISA (edge, high) below 16, PCI above. */
struct ioapic_wire {
	bool level;
	bool low;
};

/* Map the I/O APICs of `acpi` and mask all inputs.  Boot only. */
void ioapic_start(void);

/* Inputs of all I/O APICs, and the global interrupt of the n-th. */
uint32_t ioapic_inputs(void);
uint32_t ioapic_gsi(uint32_t n);

/* How a global interrupt is wired. */
struct ioapic_wire ioapic_wire(uint32_t gsi);

/* Deliver a global interrupt as `vector` to the CPU with this APIC id; leaves it masked. */
void ioapic_route(uint32_t gsi, unsigned vector, uint32_t apic_id);

/* Any CPU, any time; a global interrupt that no I/O APIC has is ignored. */
void ioapic_mask(uint32_t gsi);
void ioapic_unmask(uint32_t gsi);

#endif
