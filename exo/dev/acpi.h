/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - what the kernel takes from the firmware's ACPI tables, read once at boot.
 *
 * Invariant: nothing outside a table whose signature, length and checksum are right is believed;
 * a table that lies is left out, and machine_notice says so.  Only MADT, MCFG, DMAR and a few
 * registers of the FADT are read: the byte code is the business of whoever holds the exported
 * tables.
 */
#ifndef EXO_DEV_ACPI_H
#define EXO_DEV_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_LAPIC_PA  0xfee00000ul     /* where local APICs are when nobody says otherwise */
#define ACPI_IOAPIC_PA 0xfec00000ul

struct acpi_ioapic {            /* ACPI 6.5, 5.2.12.3 */
	uint64_t pa;
	uint32_t gsi_base;      /* the global interrupt of its first input */
	uint8_t  id;            /* by which the DMAR table names it */
};

/* An ISA interrupt wired to another global interrupt than that of its number, or level, or low. */
struct acpi_override {          /* ACPI 6.5, 5.2.12.5 */
	uint32_t gsi;
	uint8_t  irq;           /* ISA interrupt, 0 to 15 */
	bool     level;         /* level triggered, else edge */
	bool     low;           /* active low, else high */
};

struct acpi_segment {           /* PCI Firmware Specification 3.3, 4.1.2 */
	uint64_t pa;            /* configuration space of bus 0 of the segment (not of bus_lo) */
	uint16_t segment;
	uint8_t  bus_lo, bus_hi;        /* buses decoded, both included */
};

/* A table's bytes. */
struct acpi_table {
	const uint8_t *bytes;
	uint32_t length;        /* checked, header included */
};

/* All [I]: set by acpi_start, never changed. */
struct acpi_info {
	bool     present;       /* a valid RSDP and root table were found */
	uint64_t lapic_pa;
	uint32_t cpus;          /* enabled processors with an APIC id below 255; 0 without a MADT */
	uint32_t ioapics, overrides, segments;
	uint32_t x2apic_only;   /* enabled processors that only x2APIC reaches: not in apic_ids */
	const uint32_t *apic_ids;               /* [cpus], different, in the table's order */
	const struct acpi_ioapic *ioapic;       /* [ioapics]; at least one, if only a guess */
	const struct acpi_override *override;   /* [overrides] */
	const struct acpi_segment *segment;     /* [segments] */
	uint16_t pm1a_control, pm1b_control;    /* ports of 2 bytes; 0: none */
	uint16_t pm_timer;      /* port of 4 bytes; 0: none */
	bool     pm_timer_32;   /* the timer counts 32 bits, else 24; 3579545 Hz */
	uint16_t reset_port;    /* 1 byte; 0: none */
	uint8_t  reset_value;
	uint16_t smi_command;   /* port; 0: none.  Never given away */
	struct acpi_table dmar; /* remapping units, read in vtd_scope.c; length 0: none */
	uint32_t sci;           /* global interrupt of ACPI's events, after overrides; 0: unknown */
};
extern struct acpi_info acpi;

/*
 * Read the tables below the root pointer at physical address `rsdp` (0: none) into `acpi`.  Boot
 * only: takes memory by boot_frames, uses boot_info's ranges to know what the direct map covers.
 * Without usable tables `cpus` is 0 (only the boot processor is known) and the rest legacy values.
 */
void acpi_start(uint64_t rsdp);

/* Readers for the unaligned little-endian fields of a table. */

#define ACPI_HEADER 36u         /* bytes of a table's header, ACPI 6.5, 5.2.6 */

uint8_t acpi_u8(const struct acpi_table *t, uint32_t off);      /* 0 beyond the table's end */
uint16_t acpi_u16(const struct acpi_table *t, uint32_t off);
uint32_t acpi_u32(const struct acpi_table *t, uint32_t off);
uint64_t acpi_u64(const struct acpi_table *t, uint32_t off);

void acpi_read_madt(const struct acpi_table *t);
void acpi_read_mcfg(const struct acpi_table *t);
void acpi_read_fadt(const struct acpi_table *t);

#endif
