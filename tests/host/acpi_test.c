/* SPDX-License-Identifier: MIT */
/*
 * acpi_test.c - power-off by ACPI: a small machine's tables, then the same with each part broken.
 */
// sources: services/init/acpi.c services/init/acpi_s5.c
// includes: services/init exo/base/include
#include "acpi.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Physical memory: one run of bytes from MEMORY_BASE. */
#define MEMORY_BASE 0x7f000000ul
#define MEMORY_BYTES 0x1000u
enum { RSDP = 0, XSDT = 0x100, RSDT = 0x180, FADT = 0x200, DSDT = 0x400, SSDT = 0x600 };

static uint8_t memory[MEMORY_BYTES];
static int failures;

static const void *view(void *context, uint64_t address, uint64_t bytes)
{
	uint64_t off = address - MEMORY_BASE;

	(void)context;
	if (off > MEMORY_BYTES || bytes > MEMORY_BYTES - off)
		return NULL;
	return memory + off;
}

static void put(uint32_t at, uint64_t value, int bytes)
{
	memcpy(memory + at, &value, (size_t)bytes);
}

static void table_sum(uint32_t at, uint32_t length, uint32_t where)
{
	uint8_t sum = 0;

	memory[at + where] = 0;
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[at + where] = (uint8_t)-sum;
}

static void table_end(uint32_t at, const char *name, uint32_t length)
{
	memcpy(memory + at, name, 4);
	put(at + 4, length, 4);
	table_sum(at, length, 9);
}

static void rsdp_end(void)
{
	table_sum(RSDP, 20, 8);
	table_sum(RSDP, 36, 32);
}

static const uint8_t s5_plain[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, 0x05, 0x0a,
	0x06, 0x00, 0x00 };

static void aml_put(uint32_t at, const char *name, const uint8_t *aml, size_t bytes)
{
	memset(memory + at, 0, 0x200);
	memcpy(memory + at + 40, aml, bytes);
	table_end(at, name, (uint32_t)(40 + bytes));
}

static void machine(void)
{
	memset(memory, 0, sizeof(memory));
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 16, MEMORY_BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, MEMORY_BASE + XSDT, 8);
	rsdp_end();
	put(XSDT + 36, MEMORY_BASE + SSDT, 8);
	put(XSDT + 44, MEMORY_BASE + FADT, 8);
	table_end(XSDT, "XSDT", 52);
	put(RSDT + 36, MEMORY_BASE + FADT, 4);
	table_end(RSDT, "RSDT", 40);
	put(FADT + 40, MEMORY_BASE + DSDT, 4);
	put(FADT + 64, 0x604, 4);
	put(FADT + 68, 0x704, 4);
	table_end(FADT, "FACP", 244);
	aml_put(DSDT, "DSDT", s5_plain, sizeof(s5_plain));
	aml_put(SSDT, "SSDT", (const uint8_t *)"none", 4);
}

static void check(const char *name, const char *want)
{
	struct acpi_off off = { 1, 2, 3, 4 };
	const char *why = acpi_find_off(view, NULL, MEMORY_BASE + RSDP, &off);
	char got[160];

	snprintf(got, sizeof(got), "%x %x %x %x", off.port_a, off.port_b, off.value_a, off.value_b);
	if (why != NULL && strcmp(got, "1 2 3 4") == 0)
		snprintf(got, sizeof(got), "%s", why);
	if (strstr(got, want) != NULL) {
		printf("ok acpi_%s\n", name);
		return;
	}
	printf("FAIL acpi_%s: expected %s, got %s\n", name, want, got);
	failures++;
}

#define GOOD "604 704 3400 3800"

static void test_tables(void)
{
	machine();
	check("machine", GOOD);
	memory[XSDT + 40] ^= 1;
	check("xsdt_broken_rsdt_used", GOOD);
	memory[RSDT + 36] ^= 1;
	check("both_roots_broken", "root table");
	machine();
	memory[RSDP + 15] = 0;
	rsdp_end();
	check("revision_0", GOOD);
	memory[RSDP + 8] ^= 1;
	check("rsdp_sum", "root pointer is broken");
	machine();
	put(RSDP + 16, 0x1000, 4);
	put(RSDP + 24, ~0ul - 4, 8);
	rsdp_end();
	check("roots_not_in_memory", "root table");
	machine();
	memory[FADT + 70] ^= 1;
	check("fadt_sum", "FADT");
	machine();
	table_end(FADT, "FACP", 80);
	check("fadt_short", "FADT");
	machine();
	table_end(FADT, "FACP", 116);
	check("fadt_old", GOOD);
	machine();
	put(FADT + 112, 1u << 20, 4);
	table_end(FADT, "FACP", 244);
	check("hardware_reduced", "hardware-reduced");
}

static void test_registers(void)
{
	machine();
	put(FADT + 172, 0x10200001, 4);
	put(FADT + 176, 0xb004, 8);
	table_end(FADT, "FACP", 244);
	check("extended_port", "b004 704");
	put(FADT + 172, 0x10200000, 4);
	table_end(FADT, "FACP", 244);
	check("extended_in_memory_ignored", GOOD);
	put(FADT + 64, 0, 4);
	table_end(FADT, "FACP", 244);
	check("no_port", "PM1a");
	put(FADT + 64, 0x12345678, 4);
	table_end(FADT, "FACP", 244);
	check("port_too_high", "PM1a");
	machine();
	put(FADT + 40, 0x10, 4);
	put(FADT + 140, MEMORY_BASE + DSDT, 8);
	table_end(FADT, "FACP", 244);
	check("x_dsdt", GOOD);
	put(FADT + 140, 0, 8);
	table_end(FADT, "FACP", 244);
	check("no_dsdt", "DSDT");
}

struct aml_case {
	const char *name, *want;
	uint8_t bytes[24];
	size_t count;
};
#define AML(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define S5 0x08, '_', 'S', '5', '_'

static const struct aml_case amls[] = {
	{ "root_prefix", GOOD,
	  AML(0x08, '\\', '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 5, 0x0a, 6, 0, 0) },
	{ "zero_one", "604 704 2000 2400", AML(S5, 0x12, 6, 4, 0, 1, 0, 0) },
	{ "word_dword", GOOD, AML(S5, 0x12, 10, 2, 0x0b, 5, 0, 0x0c, 6, 0, 0, 0) },
	{ "long_length", GOOD, AML(S5, 0x12, 0x47, 0, 2, 0x0a, 5, 0x0a, 6) },
	{ "one_element", "604 704 3400 2000", AML(S5, 0x12, 4, 1, 0x0a, 5, 0) },
	{ "no_elements", "_S5", AML(S5, 0x12, 2, 0, 0) },
	{ "not_a_name", "_S5", AML(0x10, '_', 'S', '5', '_', 0x12, 6, 4, 0, 1, 0, 0) },
	{ "not_a_package", "_S5", AML(S5, 0x0a, 5, 0, 0, 0) },
	{ "type_8", "_S5", AML(S5, 0x12, 6, 2, 0x0a, 8, 0, 0) },
	{ "not_constant", "_S5", AML(S5, 0x12, 6, 2, 'A', 'B', 'C', 'D') },
	{ "length_past_table", "_S5", AML(S5, 0x12, 0x3f, 4, 0, 1, 0, 0) },
	{ "length_below_itself", "_S5", AML(S5, 0x12, 0x40, 0, 4, 0, 1) },
	{ "element_past_package", "_S5", AML(S5, 0x12, 3, 2, 0x0a, 5, 5) },
	{ "ends_in_name", "_S5", AML(S5) },
	{ "ends_in_length", "_S5", AML(S5, 0x12, 0x80) },
	{ "second_is_sound", GOOD, AML(S5, 0x0a, S5, 0x12, 7, 4, 0x0a, 5, 0x0a, 6, 0, 0) },
};

static void test_aml(void)
{
	for (size_t i = 0; i < sizeof(amls) / sizeof(amls[0]); i++) {
		machine();
		aml_put(DSDT, "DSDT", amls[i].bytes, amls[i].count);
		check(amls[i].name, amls[i].want);
	}
	machine();
	aml_put(DSDT, "DSDT", (const uint8_t *)"none", 4);
	aml_put(SSDT, "SSDT", s5_plain, sizeof(s5_plain));
	check("in_ssdt", GOOD);
}

/* Random damage with sums put right again: an answer or a refusal, never a read outside. */
static void test_random(void)
{
	static const uint32_t at[] = { RSDP, XSDT, RSDT, FADT, DSDT, SSDT };
	static const char *const name[] = { "", "XSDT", "RSDT", "FACP", "DSDT", "SSDT" };
	struct acpi_off off;
	int found = 0, refused = 0;

	srand(1);
	for (int n = 0; n < 50000; n++) {
		machine();
		for (int k = rand() % 4; k >= 0; k--) {
			size_t t = (size_t)rand() % 6;
			uint32_t length;

			memory[at[t] + (uint32_t)rand() % 64] = (uint8_t)rand();
			memcpy(&length, memory + at[t] + 4, 4);
			if (t > 0 && length < 0x200)
				table_end(at[t], name[t], length < 36 ? 36 : length);
			else
				rsdp_end();
		}
		if (acpi_find_off(view, NULL, MEMORY_BASE + RSDP, &off) == NULL)
			found++;
		else
			refused++;
	}
	printf(found > 0 && refused > 0 ? "ok acpi_random\n"
	       : "FAIL acpi_random: all found or all refused\n");
	failures += found == 0 || refused == 0;
}

int main(void)
{
	struct acpi_off off;

	test_tables();
	test_registers();
	test_aml();
	test_random();
	if (acpi_find_off(view, NULL, 0, &off) == NULL) {
		printf("FAIL acpi_no_rsdp: found something\n");
		return 1;
	}
	printf("ok acpi_no_rsdp\n");
	return failures != 0;
}
