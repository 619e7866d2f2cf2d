/* SPDX-License-Identifier: MIT */
/*
 * acpi_fadt.c - the few registers of the FADT that are ports (ACPI 6.5, 5.2.9).
 *
 * Invariant: a field counts only if the table is long enough to have it and it is an I/O port; the
 * extended field, where it is one, goes before the old.
 */
#include "dev/acpi.h"

#include "kernel.h"

enum {
	FADT_SCI = 46,
	FADT_SMI_COMMAND = 48,
	FADT_PM1A_CONTROL = 64,
	FADT_PM1B_CONTROL = 68,
	FADT_PM_TIMER = 76,
	FADT_PM1_CONTROL_BYTES = 89,
	FADT_PM_TIMER_BYTES = 91,
	FADT_FLAGS = 112,
	FADT_RESET = 116,       /* generic address */
	FADT_RESET_VALUE = 128,
	FADT_X_PM1A_CONTROL = 172,
	FADT_X_PM1B_CONTROL = 184,
	FADT_X_PM_TIMER = 208,
	FLAG_TIMER_32 = 1 << 8,
	FLAG_RESET = 1 << 10,
	FLAG_REDUCED = 1 << 20, /* no such hardware at all */
	SPACE_PORT = 1,         /* generic address, 5.2.3.2: space id of I/O ports */
	GAS_ADDRESS = 4,
};

/* The port of a generic address, if `bytes` ports from it on are ports; else 0. */
static uint16_t gas_port(const struct acpi_table *t, uint32_t off, unsigned bytes)
{
	uint64_t address = acpi_u64(t, off + GAS_ADDRESS);

	if (acpi_u8(t, off) != SPACE_PORT || !range_fits(address, bytes, 0x10000))
		return 0;
	return (uint16_t)address;
}

/* A register block: its extended address, else its old one. */
static uint16_t block_port(const struct acpi_table *t, uint32_t old, uint32_t extended,
                           unsigned bytes)
{
	uint16_t port = gas_port(t, extended, bytes);
	uint32_t address = acpi_u32(t, old);

	if (port || !range_fits(address, bytes, 0x10000))
		return port;
	return (uint16_t)address;
}

void acpi_read_fadt(const struct acpi_table *t)
{
	uint32_t flags = acpi_u32(t, FADT_FLAGS);

	acpi.sci = acpi_u16(t, FADT_SCI);
	if (flags & FLAG_RESET)
		acpi.reset_port = gas_port(t, FADT_RESET, 1);
	acpi.reset_value = acpi_u8(t, FADT_RESET_VALUE);
	if (flags & FLAG_REDUCED)
		return;
	if (acpi_u32(t, FADT_SMI_COMMAND) < 0x10000)
		acpi.smi_command = (uint16_t)acpi_u32(t, FADT_SMI_COMMAND);
	if (acpi_u8(t, FADT_PM1_CONTROL_BYTES) >= 2) {
		acpi.pm1a_control = block_port(t, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL, 2);
		acpi.pm1b_control = block_port(t, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL, 2);
	}
	if (acpi_u8(t, FADT_PM_TIMER_BYTES) == 4)
		acpi.pm_timer = block_port(t, FADT_PM_TIMER, FADT_X_PM_TIMER, 4);
	acpi.pm_timer_32 = flags & FLAG_TIMER_32;
}
