/* SPDX-License-Identifier: MIT */
/*
 * acpi_madt.c - processors, I/O APICs and interrupt overrides from the MADT; PCI
 * segments from the MCFG.
 *
 * Invariant: each list is read twice by the same walk, once to count and once to fill, so it has
 * exactly the room it needs and no fixed maximum.  Entries that are too short are skipped; one that
 * leaves the table ends the walk.
 */
#include "dev/acpi.h"

#include "kernel.h"

/* MADT, ACPI 6.5, 5.2.12 */
enum {
	MADT_LAPIC_PA = 36,
	MADT_ENTRIES = 44,
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
	LAPIC_ENABLED = 1,
	APIC_IDS = 255,         /* 8-bit ids; 255 means all processors */
};

struct madt {
	struct acpi_table t;
	bool fill;              /* second walk */
	uint32_t cpus, ioapics, overrides, x2apic;
	uint32_t *apic_ids;
	struct acpi_ioapic *ioapic;
	struct acpi_override *override;
	uint64_t lapic_pa;
	uint64_t ids[4];        /* APIC ids seen in this walk */
};

/* Note an APIC id; false if it was there before. */
static bool id_is_new(struct madt *m, uint32_t id)
{
	uint64_t bit = 1ul << (id & 63);

	if (m->ids[id >> 6] & bit)
		return false;
	m->ids[id >> 6] |= bit;
	return true;
}

static void read_lapic(struct madt *m, uint32_t off, uint32_t bytes)
{
	uint32_t id = acpi_u8(&m->t, off + 3);

	if (bytes < 8 || !(acpi_u32(&m->t, off + 4) & LAPIC_ENABLED) || id >= APIC_IDS ||
	    !id_is_new(m, id))
		return;
	if (m->fill)
		m->apic_ids[m->cpus] = id;
	m->cpus++;
}

/* Processors with ids below 255 have an entry of the other kind too (5.2.12.12). */
static void read_x2apic(struct madt *m, uint32_t off, uint32_t bytes)
{
	if (bytes >= 16 && acpi_u32(&m->t, off + 8) & LAPIC_ENABLED &&
	    acpi_u32(&m->t, off + 4) >= APIC_IDS)
		m->x2apic++;
}

static void read_ioapic(struct madt *m, uint32_t off, uint32_t bytes)
{
	uint32_t pa = acpi_u32(&m->t, off + 4);

	if (bytes < 12 || !pa)
		return;
	if (m->fill)
		m->ioapic[m->ioapics] = (struct acpi_ioapic){
			.pa = pa, .gsi_base = acpi_u32(&m->t, off + 8),
			.id = acpi_u8(&m->t, off + 2) };
	m->ioapics++;
}

/* Flags: bits 0, 1 polarity, 2, 3 trigger; 1 says high or edge, 3 low or level, 0 as the bus. */
static void read_override(struct madt *m, uint32_t off, uint32_t bytes)
{
	uint16_t flags = acpi_u16(&m->t, off + 8);

	if (bytes < 10 || acpi_u8(&m->t, off + 2) != 0 || acpi_u8(&m->t, off + 3) > 15)
		return;
	if (m->fill)
		m->override[m->overrides] = (struct acpi_override){
			.gsi = acpi_u32(&m->t, off + 4), .irq = acpi_u8(&m->t, off + 3),
			.low = (flags & 3) == 3, .level = (flags >> 2 & 3) == 3 };
	m->overrides++;
}

static void read_lapic_address(struct madt *m, uint32_t off, uint32_t bytes)
{
	uint64_t pa = acpi_u64(&m->t, off + 4);

	if (bytes >= 12 && pa)
		m->lapic_pa = pa;
}

static void madt_walk(struct madt *m)
{
	uint32_t off = MADT_ENTRIES, bytes;

	m->cpus = m->ioapics = m->overrides = m->x2apic = 0;
	memset(m->ids, 0, sizeof(m->ids));
	for (; range_fits(off, 2, m->t.length); off += bytes) {
		bytes = acpi_u8(&m->t, off + 1);
		if (bytes < 2 || !range_fits(off, bytes, m->t.length))
			return;
		switch (acpi_u8(&m->t, off)) {
		case MADT_LAPIC:         read_lapic(m, off, bytes); break;
		case MADT_X2APIC:        read_x2apic(m, off, bytes); break;
		case MADT_IOAPIC:        read_ioapic(m, off, bytes); break;
		case MADT_OVERRIDE:      read_override(m, off, bytes); break;
		case MADT_LAPIC_ADDRESS: read_lapic_address(m, off, bytes); break;
		}
	}
}

static void *list_room(uint64_t count, uint64_t bytes)
{
	return count ? boot_frames((count * bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE) : NULL;
}

static void madt_keep(const struct madt *m)
{
	acpi.cpus = m->cpus;
	acpi.ioapics = m->ioapics;
	acpi.overrides = m->overrides;
	acpi.x2apic_only = m->x2apic;
	acpi.apic_ids = m->apic_ids;
	acpi.ioapic = m->ioapic;
	acpi.override = m->override;
	acpi.lapic_pa = m->lapic_pa;
}

void acpi_read_madt(const struct acpi_table *t)
{
	struct madt m = { .t = *t, .lapic_pa = acpi_u32(t, MADT_LAPIC_PA) };

	if (t->length < MADT_ENTRIES) {
		machine_notice("ACPI table APIC is not used: too short");
		return;
	}
	if (!m.lapic_pa)
		m.lapic_pa = ACPI_LAPIC_PA;
	madt_walk(&m);
	m.apic_ids = list_room(m.cpus, sizeof(*m.apic_ids));
	m.ioapic = list_room(m.ioapics, sizeof(*m.ioapic));
	m.override = list_room(m.overrides, sizeof(*m.override));
	m.fill = true;
	madt_walk(&m);
	madt_keep(&m);
	if (m.x2apic)
		machine_notice("%u CPUs need x2APIC, which is not used: they stay off", m.x2apic);
}

/* MCFG: 8 bytes reserved, then entries of 16: address, segment, first bus, last bus, reserved. */
enum { MCFG_ENTRIES = 44, MCFG_ENTRY = 16 };

static bool segment_read(const struct acpi_table *t, uint32_t off, struct acpi_segment *s)
{
	*s = (struct acpi_segment){
		.pa = acpi_u64(t, off), .segment = acpi_u16(t, off + 8),
		.bus_lo = acpi_u8(t, off + 10), .bus_hi = acpi_u8(t, off + 11) };
	return s->pa && s->pa % (1ul << 20) == 0 && s->pa < 1ul << 52 && s->bus_lo <= s->bus_hi;
}

void acpi_read_mcfg(const struct acpi_table *t)
{
	uint32_t room = t->length > MCFG_ENTRIES ? (t->length - MCFG_ENTRIES) / MCFG_ENTRY : 0;
	struct acpi_segment *s = list_room(room, sizeof(*s));

	acpi.segment = s;
	acpi.segments = 0;
	for (uint32_t i = 0; i < room; i++) {
		if (segment_read(t, MCFG_ENTRIES + i * MCFG_ENTRY, &s[acpi.segments]))
			acpi.segments++;
		else
			machine_notice("ACPI table MCFG: entry %u is nonsense, not used", i);
	}
}
