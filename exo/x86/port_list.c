/* SPDX-License-Identifier: MIT */
/*
 * port_list.c - which I/O ports may be given to programs at all.
 *
 * Invariant: no entry overlaps another, or a port that reaches memory, interrupts or configuration
 * space; that holds for what the firmware's tables name, too.
 */
#include "x86/port.h"

#include <base/string.h>

#include "dev/acpi.h"
#include "kernel.h"

struct port_list ports;

struct port_range {
	uint16_t lo, count;
	const char *name;
};

/* What a PC has at fixed places. */
static const struct port_range fixed[] = {
	{ 0x3f8, 8, "serial port 1" },
	{ 0x2f8, 8, "serial port 2" },
	{ 0x70, 2, "clock" },
	{ 0x60, 1, "keyboard data" },
	{ 0x64, 1, "keyboard command" },
};

/* What stays with the kernel, whatever a table says. */
static const struct port_range kept[] = {
	{ 0x00, 0x20, "DMA controller 1" },
	{ 0x20, 2, "interrupt controller 1" },
	{ 0x40, 4, "timer" },
	{ 0x80, 0x20, "DMA pages, system control" },
	{ 0xa0, 2, "interrupt controller 2" },
	{ 0xb2, 2, "system management" },
	{ 0xc0, 0x20, "DMA controller 2" },
	{ 0x4d0, 2, "interrupt triggers" },
	{ 0x510, 12, "QEMU's configuration device" },
	{ 0xcf8, 1, "PCI configuration" },
	{ 0xcfa, 6, "PCI configuration" },
};

static bool overlap(uint32_t lo, uint32_t count, uint32_t other, uint32_t other_count)
{
	return lo < other + other_count && other < lo + count;
}

static bool port_allowed(uint32_t lo, uint32_t count)
{
	if (acpi.smi_command && overlap(lo, count, acpi.smi_command, 1))
		return false;
	/* 0xcf9 resets the machine, but lies inside PCI's address register when more is written. */
	if (count > 1 && overlap(lo, count, 0xcf8, 8))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(kept); i++) {
		if (overlap(lo, count, kept[i].lo, kept[i].count))
			return false;
	}
	for (uint32_t i = 0; i < ports.count; i++) {
		if (overlap(lo, count, ports.info[i].lo, ports.info[i].count))
			return false;
	}
	return lo != 0;
}

static void port_add(uint16_t lo, uint16_t count, const char *name)
{
	struct exo_port_info *info = &ports.info[ports.count];

	if (!port_allowed(lo, count) || (ports.count + 1) * sizeof(*info) > EXO_PAGE_SIZE)
		return;
	info->lo = lo;
	info->count = count;
	string_copy(info->name, name, sizeof(info->name));
	ports.count++;
}

void ports_start(bool debug_exit)
{
	ports.info = boot_export(EXO_PAGE_SIZE);
	port_holder = boot_frames(PORTS * sizeof(*port_holder) / EXO_PAGE_SIZE);
	ports.count = 0;
	for (unsigned i = 0; i < ARRAY_LEN(fixed); i++)
		port_add(fixed[i].lo, fixed[i].count, fixed[i].name);
	if (acpi.pm1a_control)
		port_add(acpi.pm1a_control, 2, "power control a");
	if (acpi.pm1b_control)
		port_add(acpi.pm1b_control, 2, "power control b");
	if (acpi.reset_port)
		port_add(acpi.reset_port, 1, "reset");
	if (debug_exit)
		port_add(0xf4, 4, "debug exit");
}
