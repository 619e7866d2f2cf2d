/* SPDX-License-Identifier: MIT */
/*
 * acpi_kernel_tables_test.c - the kernel's reading of ACPI tables: sound ones, and tables that lie.
 *
 * Invariant: memory beside the tables is poisoned, so that a read outside what a table's length
 * claims is the sanitizer's error; the fuzz case mends checksums so that rubbish gets past them.
 */
// sources: exo/dev/acpi.c exo/dev/acpi_madt.c exo/dev/acpi_fadt.c exo/base/string.c
// includes: exo
// flags: -include tests/host/virtio_fake.h -fno-builtin
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev/acpi.h"
#include "kernel.h"

#define RAM_BYTES 0x200000u
#define RSDP 0x1008u
#define ROOT 0x2000u
#define MADT 0x3004u            /* tables need not be aligned */
#define MCFG 0x4001u
#define FADT 0x5010u
#define RANGES 0x8000u

uint8_t *fake_ram;
static struct exo_boot boot;
struct exo_boot *boot_info = &boot;
static unsigned failures, notices;
static char notice[8192];
static uint64_t mapped_pa;      /* what boot_map_device was asked for last */
static void *rooms[64];
static unsigned room_count;

#define EXPECT(cond) \
	do { \
		if (!(cond) && failures++ < 20) \
			printf("# line %d: %s\n", __LINE__, #cond); \
	} while (0)

void *boot_frames(uint64_t count)
{
	if (room_count == ARRAY_LEN(rooms) || !count || count > 1000)
		abort();
	return rooms[room_count++] = calloc(count, EXO_PAGE_SIZE);
}

/* Nothing is out there. */
void *boot_map_device(uint64_t pa, uint64_t bytes)
{
	mapped_pa = pa;
	if (pa % EXO_PAGE_SIZE || bytes % EXO_PAGE_SIZE || bytes > 2u << 20)
		abort();
	return rooms[room_count++] = calloc(1, bytes);
}

void machine_notice(const char *format, ...)
{
	va_list args;

	notices++;
	va_start(args, format);
	vsnprintf(notice, sizeof(notice), format, args);
	va_end(args);
}

static void put(uint32_t pa, uint64_t value, unsigned bytes)
{
	memcpy(fake_ram + pa, &value, bytes);
}

static void checksum(uint32_t pa, uint32_t bytes, uint32_t at)
{
	uint8_t sum = 0;

	fake_ram[pa + at] = 0;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + fake_ram[pa + i]);
	fake_ram[pa + at] = (uint8_t)-sum;
}

/* A table's memory, and no more, may be read. */
static void table_begin(uint32_t pa, const char *signature, uint32_t bytes)
{
	ASAN_UNPOISON_MEMORY_REGION(fake_ram + pa, bytes);
	memset(fake_ram + pa, 0, bytes);
	memcpy(fake_ram + pa, signature, 4);
	put(pa + 4, bytes, 4);
}

static void table_end(uint32_t pa)
{
	uint32_t bytes;

	memcpy(&bytes, fake_ram + pa + 4, 4);
	checksum(pa, bytes, 9);
}

static void rsdp_make(unsigned revision)
{
	ASAN_UNPOISON_MEMORY_REGION(fake_ram + RSDP, revision ? 36 : 20);
	memset(fake_ram + RSDP, 0, revision ? 36 : 20);
	memcpy(fake_ram + RSDP, "RSD PTR ", 8);
	put(RSDP + 15, revision, 1);
	put(RSDP + 16, ROOT, 4);
	if (revision) {
		put(RSDP + 16, 0, 4);
		put(RSDP + 20, 36, 4);
		put(RSDP + 24, ROOT, 8);
	}
	checksum(RSDP, 20, 8);
	if (revision)
		checksum(RSDP, 36, 32);
}

static void root_make(unsigned entry_bytes)
{
	static const uint32_t pa[] = { MADT, MCFG, FADT };

	table_begin(ROOT, entry_bytes == 8 ? "XSDT" : "RSDT", 36 + 3 * entry_bytes);
	for (unsigned i = 0; i < 3; i++)
		put(ROOT + 36 + i * entry_bytes, pa[i], entry_bytes);
	table_end(ROOT);
}

/* Entries of the sound MADT, in bytes. */
static const uint8_t madt_entries[] = {
	0, 8, 0, 0, 1, 0, 0, 0,                         /* CPU, APIC id 0 */
	0, 8, 1, 4, 1, 0, 0, 0,                         /* CPU, APIC id 4 */
	0, 8, 2, 6, 0, 0, 0, 0,                         /* disabled */
	0, 8, 3, 7, 2, 0, 0, 0,                         /* online capable, not enabled */
	0, 8, 4, 4, 1, 0, 0, 0,                         /* APIC id 4 again */
	0, 8, 5, 255, 1, 0, 0, 0,                       /* the broadcast id */
	9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, /* x2APIC id 256 */
	9, 16, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, /* x2APIC id 4: has an entry above */
	1, 12, 1, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,      /* I/O APIC at 0xfec00000 */
	1, 12, 2, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0,  /* I/O APIC at 0xfec01000 from 24 on */
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                  /* ISA 0 -> 2, as the bus */
	2, 10, 0, 9, 20, 0, 0, 0, 15, 0,                /* ISA 9 -> 20, level, low */
	2, 10, 0, 5, 5, 0, 0, 0, 13, 0,                 /* ISA 5 -> 5, level, high */
	2, 10, 1, 5, 6, 0, 0, 0, 13, 0,                 /* of a bus that there is not */
	4, 6, 255, 0, 0, 1,                             /* of no interest */
	200, 2,                                         /* unknown */
	5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 1, 0, 0, 0,      /* local APICs at 0x1fee00000 */
};

static void madt_make(const uint8_t *entries, uint32_t bytes)
{
	table_begin(MADT, "APIC", 44 + bytes);
	put(MADT + 36, 0xfee00000, 4);
	memcpy(fake_ram + MADT + 44, entries, bytes);
	table_end(MADT);
}

static void mcfg_make(void)
{
	table_begin(MCFG, "MCFG", 44 + 3 * 16 + 7);
	put(MCFG + 44, 0xb0000000, 8);
	put(MCFG + 44 + 11, 255, 1);
	put(MCFG + 60, 0xc0000000, 8);
	put(MCFG + 60 + 8, 1, 2);
	put(MCFG + 60 + 10, 9, 1);              /* last bus before first */
	put(MCFG + 60 + 11, 8, 1);
	put(MCFG + 76, 0x800000000, 8);
	put(MCFG + 76 + 8, 2, 2);
	put(MCFG + 76 + 10, 16, 1);
	put(MCFG + 76 + 11, 31, 1);
	table_end(MCFG);
}

static void fadt_make(uint32_t bytes)
{
	table_begin(FADT, "FACP", bytes);
	if (bytes < 132)
		return table_end(FADT);
	put(FADT + 46, 9, 2);
	put(FADT + 48, 0xb2, 4);
	put(FADT + 64, 0x604, 4);
	put(FADT + 76, 0x608, 4);
	put(FADT + 89, 2, 1);
	put(FADT + 91, 4, 1);
	put(FADT + 112, 1 << 10 | 1 << 8, 4);
	put(FADT + 116, 1, 1);
	put(FADT + 120, 0xcf9, 8);
	put(FADT + 128, 15, 1);
	table_end(FADT);
}

static void world_make(unsigned revision)
{
	ASAN_POISON_MEMORY_REGION(fake_ram, RAM_BYTES);
	ASAN_UNPOISON_MEMORY_REGION(fake_ram + RANGES, sizeof(struct exo_boot_range));
	memset(fake_ram + RANGES, 0, sizeof(struct exo_boot_range));
	boot.ranges_pa = RANGES;
	boot.ranges = 1;
	rsdp_make(revision);
	root_make(revision ? 8 : 4);
	madt_make(madt_entries, sizeof(madt_entries));
	mcfg_make();
	fadt_make(revision ? 244 : 132);
}

static void start(uint64_t rsdp)
{
	while (room_count)
		free(rooms[--room_count]);
	notices = 0;
	notice[0] = 0;
	acpi_start(rsdp);
}

static void verdict(const char *name)
{
	static unsigned before;

	printf(failures == before ? "ok %s\n" : "FAIL %s: see the line above\n", name);
	before = failures;
}

static void expect_sound_madt(void)
{
	EXPECT(acpi.cpus == 2 && acpi.apic_ids[0] == 0 && acpi.apic_ids[1] == 4);
	EXPECT(acpi.x2apic_only == 1);
	EXPECT(acpi.ioapics == 2);
	EXPECT(acpi.ioapic[0].pa == 0xfec00000 && acpi.ioapic[0].gsi_base == 0);
	EXPECT(acpi.ioapic[1].pa == 0xfec01000 && acpi.ioapic[1].gsi_base == 24);
	EXPECT(acpi.overrides == 3 && acpi.override[0].gsi == 2 && !acpi.override[0].level);
	EXPECT(acpi.override[1].irq == 9 && acpi.override[1].level && acpi.override[1].low);
	EXPECT(acpi.override[2].irq == 5 && acpi.override[2].level && !acpi.override[2].low);
	EXPECT(acpi.lapic_pa == 0x1fee00000);
}

static void test_sound(void)
{
	for (unsigned revision = 0; revision <= 2; revision += 2) {
		world_make(revision);
		start(RSDP);
		EXPECT(acpi.present);
		expect_sound_madt();
		EXPECT(acpi.segments == 2 && acpi.segment[0].pa == 0xb0000000);
		EXPECT(acpi.segment[0].bus_hi == 255 && acpi.segment[1].segment == 2);
		EXPECT(acpi.segment[1].bus_lo == 16 && acpi.segment[1].pa == 0x800000000);
		EXPECT(acpi.pm1a_control == 0x604 && acpi.pm1b_control == 0);
		EXPECT(acpi.pm_timer == 0x608 && acpi.pm_timer_32);
		EXPECT(acpi.reset_port == 0xcf9 && acpi.reset_value == 15);
		EXPECT(acpi.smi_command == 0xb2);
		EXPECT(acpi.sci == 20);
		EXPECT(notices == 2);   /* x2APIC, the MCFG's second entry */
	}
	verdict("acpi_sound_tables");
}

static void expect_nothing(void)
{
	EXPECT(!acpi.present && acpi.cpus == 0 && acpi.lapic_pa == ACPI_LAPIC_PA);
	EXPECT(acpi.ioapics == 1 && acpi.ioapic[0].pa == ACPI_IOAPIC_PA && acpi.segments == 0);
	EXPECT(!acpi.pm1a_control && !acpi.reset_port && !acpi.sci && notices == 2);
}

static void test_no_root(void)
{
	world_make(2);
	start(0);
	expect_nothing();
	fake_ram[RSDP + 3] ^= 1;
	start(RSDP);
	expect_nothing();
	world_make(2);
	fake_ram[RSDP + 9] ^= 1;
	start(RSDP);
	expect_nothing();
	world_make(2);
	fake_ram[ROOT + 40] ^= 1;
	start(RSDP);
	expect_nothing();
	world_make(2);
	memcpy(fake_ram + ROOT, "RSDT", 4);
	table_end(ROOT);
	start(RSDP);
	expect_nothing();
	start(~0ul - 3);
	expect_nothing();
	verdict("acpi_no_root");
}

/* A bad extended part sends us back to the RSDT, as the old part says. */
static void test_old_root_behind_bad_new(void)
{
	world_make(0);
	ASAN_UNPOISON_MEMORY_REGION(fake_ram + RSDP, 36);
	put(RSDP + 15, 2, 1);
	checksum(RSDP, 20, 8);
	for (uint32_t length = 0; length < 8192; length += 700) {
		put(RSDP + 20, length, 4);
		ASAN_UNPOISON_MEMORY_REGION(fake_ram + RSDP, length < 36 ? 36 : length);
		put(RSDP + 24, 0, 8);
		start(RSDP);
		EXPECT(acpi.present && acpi.cpus == 2);
		if (length >= 36 && length < 4096) {
			checksum(RSDP, length, 32);
			start(RSDP);
			EXPECT(acpi.present && acpi.cpus == 2);
		}
		world_make(0);
		ASAN_UNPOISON_MEMORY_REGION(fake_ram + RSDP, 36);
		put(RSDP + 15, 2, 1);
		checksum(RSDP, 20, 8);
	}
	verdict("acpi_bad_extended_root_pointer");
}

static void test_bad_tables(void)
{
	static const uint32_t lengths[] = { 0, 35, 0xffffffff, 0x100001 };

	world_make(2);
	fake_ram[MADT + 50] ^= 1;
	start(RSDP);
	EXPECT(acpi.present && acpi.cpus == 0 && acpi.segments == 2 && acpi.ioapics == 1);
	EXPECT(notices == 3);           /* the second entry of the MCFG, the MADT, no I/O APIC */
	for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
		world_make(2);
		put(MADT + 4, lengths[i], 4);
		start(RSDP);
		EXPECT(acpi.present && acpi.cpus == 0 && acpi.segments == 2);
	}
	world_make(2);
	fadt_make(36);
	start(RSDP);
	EXPECT(acpi.present && acpi.cpus == 2);
	EXPECT(!acpi.sci && !acpi.pm1a_control && !acpi.reset_port);
	verdict("acpi_bad_tables_are_left_out");
}

/* Entries that are too short or leave the table. */
static void test_bad_entries(void)
{
	static const uint8_t zero[] = { 0, 8, 0, 1, 1, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0 };
	static const uint8_t cut[] = { 0, 8, 0, 1, 1, 0, 0, 0, 0, 8, 0, 2, 1 };
	static const uint8_t small[] = {
		0, 5, 0, 1, 1, 1, 4, 0, 0, 2, 3, 0, 9, 3, 0, 0, 8, 0, 3, 1, 0, 0, 0 };
	static const uint8_t far[] = { 0, 8, 0, 1, 1, 0, 0, 0, 0, 9, 0, 2, 1, 0, 0, 0 };

	world_make(2);
	madt_make(zero, sizeof(zero));
	start(RSDP);
	EXPECT(acpi.cpus == 1 && acpi.apic_ids[0] == 1);
	madt_make(cut, sizeof(cut));
	start(RSDP);
	EXPECT(acpi.cpus == 1);
	madt_make(small, sizeof(small));
	start(RSDP);
	EXPECT(acpi.cpus == 1 && acpi.apic_ids[0] == 3 && acpi.overrides == 0);
	madt_make(far, sizeof(far));
	start(RSDP);
	EXPECT(acpi.cpus == 1);
	table_begin(MADT, "APIC", 40);
	table_end(MADT);
	start(RSDP);
	EXPECT(acpi.cpus == 0 && acpi.ioapics == 1);
	verdict("acpi_bad_entries_are_left_out");
}

/* More processors than one frame of ids would hold, were they not compared by their 8 bits. */
static void test_many_entries(void)
{
	static uint8_t entries[8 * 20000];

	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *e = entries + 8 * i;

		e[1] = 8;
		e[3] = (uint8_t)i;
		e[4] = 1;
	}
	world_make(2);
	table_begin(0x100000, "APIC", 44 + sizeof(entries));
	memcpy(fake_ram + 0x100000 + 44, entries, sizeof(entries));
	table_end(0x100000);
	put(ROOT + 36, 0x100000, 8);
	table_end(ROOT);
	start(RSDP);
	EXPECT(acpi.cpus == 255 && acpi.apic_ids[254] == 254);
	verdict("acpi_many_processors");
}

/* Addresses that the direct map does not have are mapped; impossible ones are not touched. */
static void test_far_tables(void)
{
	world_make(2);
	mapped_pa = 0;
	put(ROOT + 36, 0x7654321000, 8);
	put(ROOT + 44, ~0ul - 10, 8);
	put(ROOT + 52, 0, 8);
	table_end(ROOT);
	start(RSDP);
	EXPECT(mapped_pa == 0x7654321000 && acpi.present && acpi.cpus == 0 && acpi.segments == 0);
	verdict("acpi_far_tables");
}

static void test_ports_that_are_none(void)
{
	world_make(2);
	put(FADT + 64, 0xffff, 4);              /* two bytes do not fit */
	put(FADT + 76, 0x10608, 4);
	put(FADT + 120, 0x10000, 8);
	put(FADT + 172, 0, 1);                  /* in memory */
	put(FADT + 176, 0x1000, 8);
	table_end(FADT);
	start(RSDP);
	EXPECT(!acpi.pm1a_control && !acpi.pm_timer && !acpi.reset_port);
	put(FADT + 172, 1, 1);
	put(FADT + 116, 0, 1);
	put(FADT + 120, 0xcf9, 8);
	table_end(FADT);
	start(RSDP);
	EXPECT(acpi.pm1a_control == 0x1000 && !acpi.reset_port);
	put(FADT + 112, 1 << 20, 4);            /* hardware-reduced */
	table_end(FADT);
	start(RSDP);
	EXPECT(!acpi.pm1a_control && !acpi.smi_command);
	verdict("acpi_ports_that_are_none");
}

static void test_fuzz(void)
{
	static const uint32_t pa[] = { MADT, MCFG, FADT, ROOT };

	srand(1);
	for (unsigned run = 0; run < 20000; run++) {
		uint32_t table, bytes;

		world_make(run % 3 ? 2 : 0);
		for (unsigned i = 0; i < 1 + run % 9; i++) {
			table = pa[rand() % 3];
			memcpy(&bytes, fake_ram + table + 4, 4);
			fake_ram[table + 8 + (uint32_t)rand() % (bytes - 8)] = (uint8_t)rand();
			if (table != ROOT || rand() % 2)
				table_end(table);
		}
		start(RSDP);
		EXPECT(acpi.present && acpi.ioapics >= 1 && acpi.cpus <= 255 && acpi.ioapics < 100);
		for (uint32_t i = 0; i < acpi.cpus; i++)
			EXPECT(acpi.apic_ids[i] < 255);
	}
	verdict("acpi_fuzz");
}

int main(void)
{
	fake_ram = aligned_alloc(4096, RAM_BYTES);
	test_sound();
	test_no_root();
	test_old_root_behind_bad_new();
	test_bad_tables();
	test_bad_entries();
	test_many_entries();
	test_far_tables();
	test_ports_that_are_none();
	test_fuzz();
	ASAN_UNPOISON_MEMORY_REGION(fake_ram, RAM_BYTES);
	while (room_count)
		free(rooms[--room_count]);
	free(fake_ram);
	return failures != 0;
}
