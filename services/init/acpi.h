/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - how this machine is switched off, read from its ACPI tables.
 *
 * The tables come from the firmware and are treated as hostile: every length is compared with
 * what the reader can show, every sum is checked.  Of the DSDT's AML only the package _S5 is
 * read, where it stands; AML is not run.
 */
#ifndef INIT_ACPI_H
#define INIT_ACPI_H

#include <stddef.h>
#include <stdint.h>

/*
 * Show physical memory: `bytes` bytes at `address`, or NULL if not all of them are readable
 * ACPI memory.
 */
typedef const void *acpi_view(void *context, uint64_t address, uint64_t bytes);

struct acpi_off {
	uint16_t port_a;        /* PM1a control register */
	uint16_t port_b;        /* PM1b control register, 0: none */
	uint16_t value_a;       /* SLP_TYPa << 10 | SLP_EN, to be or'ed into the register */
	uint16_t value_b;
};

#define ACPI_CONTROL_KEEP 0x0203u       /* of the register: SCI_EN, BM_RLD and the ignored bit 9 */

/*
 * Find the power-off registers (ACPI 6.5: 5.2.5 RSDP, 5.2.7 RSDT, 5.2.8 XSDT, 5.2.9 FADT,
 * 7.4.2.6 _S5, 4.8.3.2 PM1 control).
 *
 * rsdp  physical address of the root pointer; 0: there is none
 *
 * NULL, or what is missing or broken, as a phrase; *out is then untouched.
 */
const char *acpi_find_off(acpi_view *view, void *context, uint64_t rsdp, struct acpi_off *out);

#endif
