/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - from the root pointer to the tables (ACPI 6.5, 5.2.5 to 5.2.8).
 *
 * Invariant: a table is handed on only after its header, its length and its checksum were checked
 * in memory that is mapped; of several with one signature the first valid one counts.  What stands
 * in the tables is read in acpi_madt.c and acpi_fadt.c.
 */
#include "dev/acpi.h"

#include "kernel.h"
#include "x86/direct.h"

#define TABLE_MAX   (1024u * 1024u)     /* bytes; longer ones are taken for nonsense */
#define RSDP_BYTES  20u                 /* of revision 0 */
#define RSDP2_BYTES 36u
#define RSDP_MAX    4096u

struct acpi_info acpi;

uint8_t acpi_u8(const struct acpi_table *t, uint32_t off)
{
	return range_fits(off, 1, t->length) ? t->bytes[off] : 0;
}

uint16_t acpi_u16(const struct acpi_table *t, uint32_t off)
{
	uint16_t v = 0;

	if (range_fits(off, sizeof(v), t->length))
		memcpy(&v, t->bytes + off, sizeof(v));
	return v;
}

uint32_t acpi_u32(const struct acpi_table *t, uint32_t off)
{
	uint32_t v = 0;

	if (range_fits(off, sizeof(v), t->length))
		memcpy(&v, t->bytes + off, sizeof(v));
	return v;
}

uint64_t acpi_u64(const struct acpi_table *t, uint32_t off)
{
	uint64_t v = 0;

	if (range_fits(off, sizeof(v), t->length))
		memcpy(&v, t->bytes + off, sizeof(v));
	return v;
}

static bool sums_to_zero(const uint8_t *p, uint32_t bytes)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

/* Does the direct map cover [pa, pa + bytes)?  It has all below 4 GiB and each range of RAM. */
static bool is_direct(uint64_t pa, uint64_t bytes)
{
	const struct exo_boot_range *r = phys_to_virt(boot_info->ranges_pa);

	if (range_fits(pa, bytes, 1ul << 32))
		return true;
	for (uint32_t i = 0; i < boot_info->ranges; i++) {
		uint64_t lo = r[i].lo << EXO_PAGE_SHIFT, hi = r[i].hi << EXO_PAGE_SHIFT;

		if (r[i].kind != EXO_BOOT_FIRMWARE && pa >= lo &&
		    range_fits(pa - lo, bytes, hi - lo))
			return true;
	}
	return false;
}

/* Memory that the firmware names, readable; NULL for addresses that cannot be. */
static const uint8_t *acpi_map(uint64_t pa, uint64_t bytes)
{
	uint64_t page = round_down(pa, EXO_PAGE_SIZE);

	if (!pa || !range_fits(pa, bytes, 1ul << 52))
		return NULL;
	if (is_direct(pa, bytes))
		return phys_to_virt(pa);
	return (const uint8_t *)boot_map_device(page, round_up(pa - page + bytes, EXO_PAGE_SIZE)) +
	       (pa - page);
}

/* Why the table at `pa` is not to be believed, or NULL and the table. */
static const char *table_read(uint64_t pa, struct acpi_table *t)
{
	t->bytes = acpi_map(pa, ACPI_HEADER);
	t->length = ACPI_HEADER;
	if (!t->bytes)
		return "no memory can be at its address";
	t->length = acpi_u32(t, 4);
	if (t->length < ACPI_HEADER || t->length > TABLE_MAX)
		return "its length is nonsense";
	t->bytes = acpi_map(pa, t->length);
	if (!t->bytes)
		return "it ends where no memory can be";
	return sums_to_zero(t->bytes, t->length) ? NULL : "its checksum is wrong";
}

/* The root table's address and the size of its entries, 8 or 4; 0 if the root pointer is bad. */
static unsigned root_pointer(uint64_t rsdp, uint64_t *root)
{
	struct acpi_table t = { .bytes = acpi_map(rsdp, RSDP_BYTES), .length = RSDP_BYTES };

	if (!t.bytes || memcmp(t.bytes, "RSD PTR ", 8) || !sums_to_zero(t.bytes, RSDP_BYTES))
		return 0;
	*root = acpi_u32(&t, 16);
	if (acpi_u8(&t, 15) < 2)
		return 4;
	t.bytes = acpi_map(rsdp, RSDP2_BYTES);
	t.length = RSDP2_BYTES;
	if (!t.bytes)
		return 4;
	t.length = acpi_u32(&t, 20);
	if (t.length < RSDP2_BYTES || t.length > RSDP_MAX)
		return 4;
	t.bytes = acpi_map(rsdp, t.length);
	if (!t.bytes || !sums_to_zero(t.bytes, t.length) || !acpi_u64(&t, 24))
		return 4;
	*root = acpi_u64(&t, 24);
	return 8;
}

static void dmar_keep(const struct acpi_table *t)
{
	acpi.dmar = *t;
}

/* The tables that are read. */
static const struct reader {
	char signature[5];
	void (*read)(const struct acpi_table *t);
} readers[] = {
	{ "APIC", acpi_read_madt },
	{ "MCFG", acpi_read_mcfg },
	{ "FACP", acpi_read_fadt },
	{ "DMAR", dmar_keep },
};

/* Read a table if it is one of ours and the first of its kind; `seen` has a bit for each reader. */
static void table_take(uint64_t pa, unsigned *seen)
{
	const uint8_t *name = acpi_map(pa, ACPI_HEADER);
	struct acpi_table t;
	const char *wrong;

	for (unsigned i = 0; name && i < ARRAY_LEN(readers); i++) {
		if (memcmp(name, readers[i].signature, 4) || *seen & 1u << i)
			continue;
		wrong = table_read(pa, &t);
		if (wrong) {
			machine_notice("ACPI table %s is not used: %s", readers[i].signature,
			               wrong);
			return;
		}
		*seen |= 1u << i;
		readers[i].read(&t);
	}
}

static void tables_read(const struct acpi_table *root, unsigned entry_bytes)
{
	uint32_t off = ACPI_HEADER;
	unsigned seen = 0;

	for (; range_fits(off, entry_bytes, root->length); off += entry_bytes)
		table_take(entry_bytes == 8 ? acpi_u64(root, off) : acpi_u32(root, off), &seen);
}

/* Without a usable MADT there may still be the one I/O APIC every PC has at the same place. */
static void ioapic_guess(void)
{
	struct acpi_ioapic *io;

	if (acpi.ioapics)
		return;
	io = boot_frames(1);
	io->pa = ACPI_IOAPIC_PA;
	acpi.ioapic = io;
	acpi.ioapics = 1;
	machine_notice("ACPI names no I/O APIC: one at 0x%lx is assumed", ACPI_IOAPIC_PA);
}

/* The FADT names the SCI by its ISA number. */
static void sci_override(void)
{
	for (uint32_t i = 0; acpi.sci && i < acpi.overrides; i++) {
		if (acpi.override[i].irq == acpi.sci) {
			acpi.sci = acpi.override[i].gsi;
			return;
		}
	}
}

void acpi_start(uint64_t rsdp)
{
	struct acpi_table root;
	uint64_t pa = 0;
	unsigned entry_bytes = rsdp ? root_pointer(rsdp, &pa) : 0;
	const char *wrong = entry_bytes ? table_read(pa, &root) : "no valid root pointer";

	acpi = (struct acpi_info){ .lapic_pa = ACPI_LAPIC_PA };
	if (!wrong && memcmp(root.bytes, entry_bytes == 8 ? "XSDT" : "RSDT", 4))
		wrong = "its signature is wrong";
	if (wrong) {
		machine_notice("no ACPI tables (%s): one CPU, no power-off", wrong);
	} else {
		acpi.present = true;
		tables_read(&root, entry_bytes);
		sci_override();
	}
	ioapic_guess();
}
