/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - I/O APICs (Intel 82093AA data sheet, 3.2).
 *
 * Invariant: register select and window of an I/O APIC are used together under ioapic_lock, the
 * last lock of all.  `acpi` says where they are; how many inputs one has, it says itself.
 */
#include "x86/ioapic.h"

#include "dev/acpi.h"
#include "dev/iommu.h"
#include "kernel.h"
#include "lock.h"
#include "x86/insn.h"

enum {
	SELECT = 0x00 / 4,      /* words from the start */
	WINDOW = 0x10 / 4,
	REG_VERSION = 1,        /* bits 16 to 23: last input */
	REG_INPUT = 16,         /* two registers an input */
	ENTRY_LOW = 1 << 13,    /* active low */
	ENTRY_LEVEL = 1 << 15,
	ENTRY_MASK = 1 << 16,
	PIC1_DATA = 0x21,
	PIC2_DATA = 0xa1,
};

struct ioapic {
	volatile uint32_t *base;
	uint32_t gsi_base, inputs;
	const struct acpi_ioapic *from;
};

static struct ioapic *ioapics;          /* [I] acpi.ioapics of them */
static uint32_t inputs_total;           /* [I] */
static struct lock ioapic_lock;

static uint32_t reg_read(const struct ioapic *io, unsigned reg)
{
	io->base[SELECT] = reg;
	return io->base[WINDOW];
}

static void reg_write(const struct ioapic *io, unsigned reg, uint32_t value)
{
	io->base[SELECT] = reg;
	io->base[WINDOW] = value;
}

/* The I/O APIC that has a global interrupt, or NULL. */
static const struct ioapic *ioapic_of(uint32_t gsi)
{
	for (uint32_t i = 0; i < acpi.ioapics; i++) {
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].inputs)
			return &ioapics[i];
	}
	return NULL;
}

/* Reads all ones where no I/O APIC is: then it has no inputs. */
static void ioapic_probe(struct ioapic *io, const struct acpi_ioapic *from)
{
	uint64_t page = round_down(from->pa, EXO_PAGE_SIZE);
	uint8_t *mapped = boot_map_device(page, EXO_PAGE_SIZE);
	uint32_t version;

	io->base = (volatile uint32_t *)(mapped + (from->pa - page));
	io->gsi_base = from->gsi_base;
	io->from = from;
	version = reg_read(io, REG_VERSION);
	io->inputs = version == ~0u ? 0 : (version >> 16 & 0xff) + 1;
	if (!io->inputs || io->inputs > 240 || io->gsi_base > ~0u - io->inputs) {
		machine_notice("no I/O APIC answers at 0x%lx", from->pa);
		io->inputs = 0;
	}
	for (uint32_t i = 0; i < io->inputs; i++)
		reg_write(io, REG_INPUT + 2 * i, ENTRY_MASK);
	inputs_total += io->inputs;
}

void ioapic_start(void)
{
	out8(PIC1_DATA, 0xff);
	out8(PIC2_DATA, 0xff);
	ioapics = boot_frames((acpi.ioapics * sizeof(*ioapics) +
	                       EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE);
	for (uint32_t i = 0; i < acpi.ioapics; i++)
		ioapic_probe(&ioapics[i], &acpi.ioapic[i]);
}

uint32_t ioapic_inputs(void)
{
	return inputs_total;
}

uint32_t ioapic_gsi(uint32_t n)
{
	for (uint32_t i = 0; i < acpi.ioapics; i++) {
		if (n < ioapics[i].inputs)
			return ioapics[i].gsi_base + n;
		n -= ioapics[i].inputs;
	}
	return ~0u;
}

struct ioapic_wire ioapic_wire(uint32_t gsi)
{
	for (uint32_t i = 0; i < acpi.overrides; i++) {
		const struct acpi_override *o = &acpi.override[i];

		if (o->gsi == gsi)
			return (struct ioapic_wire){ .level = o->level, .low = o->low };
	}
	return (struct ioapic_wire){ .level = gsi >= 16, .low = gsi >= 16 };
}

void ioapic_route(uint32_t gsi, unsigned vector, uint32_t apic_id)
{
	const struct ioapic *io = ioapic_of(gsi);
	struct ioapic_wire wire = ioapic_wire(gsi);
	uint32_t entry = ENTRY_MASK | vector;
	uint64_t whole;

	if (!io)
		return;
	if (wire.low)
		entry |= ENTRY_LOW;
	if (wire.level)
		entry |= ENTRY_LEVEL;
	whole = iommu_ioapic_entry(io->from, entry, apic_id);
	lock_take(&ioapic_lock);
	reg_write(io, REG_INPUT + 2 * (gsi - io->gsi_base) + 1, (uint32_t)(whole >> 32));
	reg_write(io, REG_INPUT + 2 * (gsi - io->gsi_base), (uint32_t)whole);
	lock_release(&ioapic_lock);
}

/* Set or clear the mask bit. */
static void input_mask(uint32_t gsi, bool mask)
{
	const struct ioapic *io = ioapic_of(gsi);
	unsigned reg;
	uint32_t entry;

	if (!io)
		return;
	reg = REG_INPUT + 2 * (gsi - io->gsi_base);
	lock_take(&ioapic_lock);
	entry = reg_read(io, reg) & ~(uint32_t)ENTRY_MASK;
	reg_write(io, reg, mask ? entry | ENTRY_MASK : entry);
	lock_release(&ioapic_lock);
}

void ioapic_mask(uint32_t gsi)
{
	input_mask(gsi, true);
}

void ioapic_unmask(uint32_t gsi)
{
	input_mask(gsi, false);
}
