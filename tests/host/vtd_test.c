/* SPDX-License-Identifier: MIT */
/*
 * vtd_test.c - VT-d without a unit: what entries of the remapping table and messages hold, and
 * DMAR tables, true and hostile.
 *
 * QEMU does not compare who sends a message that a device wrote by DMA; so here it is shown
 * that each entry names its one requester and asks for the comparison.
 */
// sources: exo/dev/vtd_scope.c exo/dev/vtd_irq.c exo/base/string.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <stdlib.h>

#include "dev/acpi.h"
#include "dev/iommu.h"
#include "dev/pci.h"
#include "dev/vtd.h"
#include "kernel.h"

#include "test.h"

uint8_t *fake_ram;
struct acpi_info acpi;
struct vtd_unit vtd_units[VTD_MAX_UNITS];
uint32_t vtd_count;
static struct vtd_entry *irt;           /* as it was made */
static uint32_t forgotten, commands;
static uint8_t registers[4096];
static bool is_present;

void machine_notice(const char *format, ...) { (void)format; }
void panic(const char *format, ...) { (void)format; abort(); }
bool iommu_present(void) { return is_present; }
uint32_t pci_requester(uint32_t where, bool *alone) { (void)alone; return where; }
void *boot_frames(uint64_t count) { return irt = calloc(count, EXO_PAGE_SIZE); }

bool vtd_command(struct vtd_unit *u, uint32_t bit, bool on)
{
	(void)u;
	commands = on ? commands | bit : commands & ~bit;
	return true;
}

void vtd_forget(struct vtd_unit *u, unsigned what) { (void)u; forgotten |= what; }
void vtd_forget_all(unsigned what) { forgotten |= what; }
void vtd_entry_set(struct vtd_entry *e, uint64_t lo, uint64_t hi)
{
	*e = (struct vtd_entry){ lo, hi };
}

uint8_t acpi_u8(const struct acpi_table *t, uint32_t off)
{
	return off < t->length ? t->bytes[off] : 0;
}
uint16_t acpi_u16(const struct acpi_table *t, uint32_t off)
{
	return (uint16_t)(acpi_u8(t, off) | acpi_u8(t, off + 1) << 8);
}
uint32_t acpi_u32(const struct acpi_table *t, uint32_t off)
{
	return acpi_u16(t, off) | (uint32_t)acpi_u16(t, off + 2) << 16;
}
uint64_t acpi_u64(const struct acpi_table *t, uint32_t off)
{
	return acpi_u32(t, off) | (uint64_t)acpi_u32(t, off + 4) << 32;
}

/* One bridge, 0:1.0, with buses 2 to 4 behind it. */
static uint32_t config_read(uint32_t where, unsigned off)
{
	return where == 1 << 3 && off == PCI_BUSES ? 0x00040200 : 0;
}
static void config_write(uint32_t where, unsigned off, uint32_t value)
{
	(void)where, (void)off, (void)value;
}
static const struct pci_access access_fake = { config_read, config_write };
const struct pci_access *pci_access = &access_fake;

/* A unit for 0:3.0, for what is behind 0:1.0, and I/O APIC 7; another for the rest; a region. */
static uint8_t table[256] = {
	[37] = 1,
	/* unit: 16 + three scopes of 8 */
	[48] = 0, [50] = 40, [56] = 0x00, [57] = 0x00, [58] = 0xd9, [59] = 0xfe,
	[64] = 1, [65] = 8, [69] = 0, [70] = 3, [71] = 0,
	[72] = 2, [73] = 8, [77] = 0, [78] = 1, [79] = 0,
	[80] = 3, [81] = 8, [84] = 7, [85] = 0xff, [86] = 0, [87] = 0,
	/* the unit for the rest */
	[88] = 0, [90] = 16, [92] = 1, [97] = 0x10,
	/* reserved region for 0:4.2 */
	[104] = 1, [106] = 32, [128] = 1, [129] = 8, [133] = 0, [134] = 4, [135] = 2,
};

static void table_use(uint32_t length)
{
	acpi.dmar = (struct acpi_table){ table, length };
	vtd_count = 0;
}

TEST(units_and_scopes_are_found)
{
	uint32_t requester = 0;

	table_use(136);
	REQUIRE(vtd_units_find());
	CHECK_EQ(vtd_count, 2);
	CHECK_EQ(vtd_units[0].pa, 0xfed90000);
	CHECK(vtd_unit_of(3 << 3) == &vtd_units[0]);
	CHECK(vtd_unit_of(1 << 3) == &vtd_units[0]);
	CHECK(vtd_unit_of(2 << 8) == &vtd_units[0]);
	CHECK(vtd_unit_of(4 << 8 | 5) == &vtd_units[0]);
	CHECK(vtd_unit_of(5 << 8) == &vtd_units[1]);
	CHECK(vtd_unit_of(3 << 3 | 1) == &vtd_units[1]);
	CHECK(vtd_unit_of(1 << 16 | 3 << 3) == NULL);
	CHECK(vtd_reserved(4 << 3 | 2));
	CHECK(!vtd_reserved(4 << 3));
	CHECK(vtd_ioapic_requester(7, &requester));
	CHECK_EQ(requester, 0xff00);
	CHECK(!vtd_ioapic_requester(6, &requester));
}

TEST(without_a_unit_for_the_rest_nobody_has_it)
{
	table_use(88);
	REQUIRE(vtd_units_find());
	CHECK_EQ(vtd_count, 1);
	CHECK(vtd_unit_of(5 << 8) == NULL);
	table_use(48);
	CHECK(!vtd_units_find());
	table_use(0);
	CHECK(!vtd_units_find());
	table[37] = 0;
	table_use(136);
	CHECK(!vtd_units_find());
	table[37] = 1;
}

/* Any bytes: the walks end, and read nothing beyond the table (the sanitizer would say so). */
TEST(hostile_tables_end)
{
	static uint8_t kept[sizeof(table)];
	uint32_t requester, seed = 12345;

	memcpy(kept, table, sizeof(table));
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < 4; i++) {
			seed = seed * 1103515245 + 12345;
			table[37 + (seed >> 16) % 120] = (uint8_t)(seed >> 8);
		}
		table_use((seed >> 12) % sizeof(table));
		vtd_units_find();
		CHECK(vtd_count <= VTD_MAX_UNITS);
		for (uint32_t where = 0; where < 64; where += 5)
			vtd_reserved(where), vtd_unit_of(where);
		vtd_ioapic_requester(7, &requester);
		if (round % 16 == 0)
			memcpy(table, kept, sizeof(table));
	}
	memcpy(table, kept, sizeof(table));
}

static void irq_begin(void)
{
	vtd_count = 1;
	vtd_units[0] = (struct vtd_unit){ .regs = registers, .works = true };
	is_present = true;
	forgotten = 0;
	REQUIRE(vtd_irq_start());
}

#define CHECKED (1ul << 18)

TEST(each_entry_names_its_requester)
{
	struct iommu_message m;

	irq_begin();
	CHECK(commands & VTD_REMAP);
	CHECK(!(commands & VTD_OLD));
	m = iommu_vector_set(0x0123, 0xfee05000, 0x61);
	CHECK_EQ(m.address, 0xfee00000 | 0x61 << 5 | 0x18);
	CHECK_EQ(m.data, 0);
	CHECK_EQ(irt[0x61].lo, 1 | 0x61 << 16 | 5ul << 40);
	CHECK_EQ(irt[0x61].hi, CHECKED | 0x123);
	CHECK(forgotten & VTD_INTERRUPTS);
	forgotten = 0;
	iommu_vector_clear(0x61);
	CHECK_EQ(irt[0x61].lo & 1, 0);
	CHECK(forgotten & VTD_INTERRUPTS);
	/* The kernel's own lie behind those of claims. */
	m = iommu_message(0x00f8, 0xfee03000, 0x44);
	CHECK_EQ(m.address, 0xfee00000 | 0x18 | (256ul << 5));
	CHECK_EQ(irt[256].hi, CHECKED | 0xf8);
	for (unsigned i = 0; i < 256; i++)
		CHECK_EQ(irt[i].lo & 1, 0);
	free(irt);
}

TEST(lines_go_through_entries_too)
{
	struct acpi_ioapic io = { .id = 7 };
	uint64_t entry;
	uint32_t index;

	table_use(136);
	REQUIRE(vtd_units_find());
	for (uint32_t i = 0; i < vtd_count; i++)
		vtd_units[i].regs = registers, vtd_units[i].works = true;
	is_present = true;
	REQUIRE(vtd_irq_start());
	entry = iommu_ioapic_entry(&io, 1 << 16 | 1 << 15 | 1 << 13 | 0x33, 9);
	index = entry >> 49 | (entry >> 11 & 1) << 15;
	CHECK_EQ(entry & 0x1ffff, 1 << 16 | 1 << 15 | 1 << 13 | 0x33);
	CHECK_EQ(entry >> 48 & 1, 1);
	CHECK(index >= 256);
	CHECK_EQ(irt[index].lo, 1 | 1 << 4 | 0x33 << 16 | 9ul << 40);
	CHECK_EQ(irt[index].hi, CHECKED | 0xff00);
	/* One that no unit names stays masked in the old format: it raises nothing. */
	io.id = 3;
	CHECK_EQ(iommu_ioapic_entry(&io, 1 << 16 | 0x33, 9), 1 << 16 | 0x33);
	is_present = false;
	CHECK_EQ(iommu_ioapic_entry(&io, 1 << 16 | 0x33, 9), 9ul << 56 | 1 << 16 | 0x33);
	CHECK_EQ(iommu_message(0, 0xfee03000, 0x44).address, 0xfee03000);
	CHECK_EQ(iommu_message(0, 0xfee03000, 0x44).data, 0x44);
	free(irt);
}

TEST_MAIN
