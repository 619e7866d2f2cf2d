/* SPDX-License-Identifier: MIT */
/*
 * pci.c - configuration space by ECAM or ports, capabilities and BARs of one function.
 *
 * Invariant: what a function says about itself is data: capability lists are walked at most once
 * around, a BAR is used only within the size it has.  Which functions there are: pci_scan.c.
 */
#include "dev/pci.h"

#include "dev/acpi.h"
#include "kernel.h"
#include "x86/insn.h"

#define BUS_BYTES (1ul << 20)           /* of ECAM: 32 devices, 8 functions, 4 KiB each */
#define NOBODY    0xffffffffu

const struct pci_access *pci_access;

/* ECAM: buses are mapped when first asked for. */
struct bus_map {
	volatile uint8_t *bus[256];
};
static struct bus_map *segments;        /* [acpi.segments] */

static volatile uint32_t *ecam_reg(uint32_t where, unsigned off)
{
	uint32_t bus = where >> 8 & 0xff;

	for (uint32_t i = 0; i < acpi.segments; i++) {
		const struct acpi_segment *s = &acpi.segment[i];

		if (s->segment != where >> 16 || bus < s->bus_lo || bus > s->bus_hi)
			continue;
		if (!segments[i].bus[bus])
			segments[i].bus[bus] = boot_map_device(s->pa + bus * BUS_BYTES, BUS_BYTES);
		return (volatile uint32_t *)(segments[i].bus[bus] + ((where & 0xff) << 12) + off);
	}
	return NULL;
}

static uint32_t ecam_read(uint32_t where, unsigned off)
{
	volatile uint32_t *reg = ecam_reg(where, off);

	return reg ? *reg : NOBODY;
}

static void ecam_write(uint32_t where, unsigned off, uint32_t value)
{
	volatile uint32_t *reg = ecam_reg(where, off);

	if (reg)
		*reg = value;
}

/* The ports of the first kind of access: segment 0, the first 256 bytes. */
enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };

static bool port_select(uint32_t where, unsigned off)
{
	if (where >> 16 || off >= 256)
		return false;
	out32(CONFIG_ADDRESS, 1u << 31 | where << 8 | (off & 0xfc));
	return true;
}

static uint32_t port_read(uint32_t where, unsigned off)
{
	return port_select(where, off) ? in32(CONFIG_DATA) : NOBODY;
}

static void port_write(uint32_t where, unsigned off, uint32_t value)
{
	if (port_select(where, off))
		out32(CONFIG_DATA, value);
}

static const struct pci_access ecam_access = { ecam_read, ecam_write };
static const struct pci_access port_access = { port_read, port_write };

/* Is there configuration access by ports? The address register keeps what it is given. */
static bool ports_answer(void)
{
	out32(CONFIG_ADDRESS, 1u << 31);
	return in32(CONFIG_ADDRESS) == 1u << 31;
}

void pci_start(void)
{
	pci.info = boot_export(0);
	if (acpi.segments) {
		segments = boot_frames((acpi.segments * sizeof(*segments) + EXO_PAGE_SIZE - 1) /
		                       EXO_PAGE_SIZE);
		pci_access = &ecam_access;
	} else if (ports_answer()) {
		pci_access = &port_access;
	} else {
		machine_notice("no PCI: no disks");
		return;
	}
	pci_scan();
}

void pci_command(uint32_t where, uint32_t set, uint32_t clear)
{
	uint32_t command = pci_read(where, PCI_COMMAND) & 0xffff;

	pci_write(where, PCI_COMMAND, (command | set) & ~clear);
}

unsigned pci_capability(uint32_t where, uint8_t id, unsigned after)
{
	unsigned off = after ? after + 1 : PCI_CAPABILITIES;

	if (!(pci_read(where, PCI_COMMAND) & PCI_STATUS_CAPABILITIES))
		return 0;
	for (unsigned turns = 0; turns < PCI_CAPS_MAX; turns++) {
		off = pci_read(where, off & 0xfc) >> (off & 3) * 8 & 0xfc;
		if (off < 0x40)
			return 0;
		if ((pci_read(where, off) & 0xff) == id)
			return off;
		off++;
	}
	return 0;
}

/* What a BAR register keeps when ones are written to it. */
static uint32_t bar_probe(uint32_t where, unsigned reg)
{
	uint32_t old = pci_read(where, reg), kept;

	pci_write(where, reg, ~0u);
	kept = pci_read(where, reg);
	pci_write(where, reg, old);
	return kept;
}

bool pci_bar(uint32_t where, unsigned index, struct pci_bar *out)
{
	unsigned reg = PCI_BAR0 + 4 * index;
	uint32_t low, command;
	uint64_t mask = 0xffffffff00000000ul;

	if (index > 5)
		return false;
	low = pci_read(where, reg);
	if (low & 1 || ((low & 6) == 4 && index == 5))
		return false;
	command = pci_read(where, PCI_COMMAND) & 0xffff;
	pci_command(where, 0, PCI_COMMAND_MEMORY);
	out->pa = low & ~15u;
	if ((low & 6) == 4) {
		out->pa |= (uint64_t)pci_read(where, reg + 4) << 32;
		mask = (uint64_t)bar_probe(where, reg + 4) << 32;
	}
	mask |= bar_probe(where, reg) & ~15u;
	pci_write(where, PCI_COMMAND, command);
	out->bytes = ~mask + 1;
	return out->pa && mask && out->bytes && (out->bytes & (out->bytes - 1)) == 0 &&
	       range_fits(out->pa, out->bytes, 1ul << 52);
}

void *pci_map(uint32_t where, unsigned index, uint64_t off, uint64_t bytes)
{
	struct pci_bar bar;
	uint64_t page;

	if (!bytes || !pci_bar(where, index, &bar) || !range_fits(off, bytes, bar.bytes))
		return NULL;
	page = round_down(bar.pa + off, EXO_PAGE_SIZE);
	bytes = round_up(bar.pa + off + bytes, EXO_PAGE_SIZE) - page;
	return (uint8_t *)boot_map_device(page, bytes) + (bar.pa + off - page);
}
