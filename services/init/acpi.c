/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - from the root pointer to the power-off registers.
 *
 * Invariant: a table is read only after the view has shown all of it and its bytes sum to 0.
 * The package _S5 is read in acpi_s5.c; no port is touched here.
 */
#include "acpi.h"
#include "acpi_s5.h"

#include <stdbool.h>

#include <base/string.h>

#define ACPI_TABLE_MAX (16u << 20)      /* bytes of a table we believe in */

/* Offsets within the tables. */
enum {
	RSDP_BYTES = 20, RSDP_BYTES_2 = 36, RSDP_REVISION = 15, RSDP_RSDT = 16, RSDP_XSDT = 24,
	HEADER_BYTES = 36, HEADER_LENGTH = 4,
	FADT_DSDT = 40, FADT_PM1A = 64, FADT_PM1B = 68, FADT_FLAGS = 112, FADT_X_DSDT = 140,
	FADT_X_PM1A = 172, FADT_X_PM1B = 184, FADT_LEAST = 116,
	GAS_ADDRESS = 4, GAS_BYTES = 12, GAS_IO = 1,
	FADT_HW_REDUCED = 1 << 20,
};

struct acpi {
	acpi_view *view;
	void      *context;
};

struct table {
	const uint8_t *bytes;
	uint32_t       length;
};

static uint32_t read_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t read_u64(const uint8_t *p)
{
	return read_u32(p) | (uint64_t)read_u32(p + 4) << 32;
}

static bool sums_to_zero(const uint8_t *p, size_t bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

/* Show a whole table with a sound checksum. */
static bool table_open(const struct acpi *a, uint64_t address, struct table *t)
{
	const uint8_t *header = address ? a->view(a->context, address, HEADER_BYTES) : NULL;

	if (header == NULL)
		return false;
	t->length = read_u32(header + HEADER_LENGTH);
	if (t->length < HEADER_BYTES || t->length > ACPI_TABLE_MAX)
		return false;
	t->bytes = a->view(a->context, address, t->length);
	return t->bytes != NULL && sums_to_zero(t->bytes, t->length);
}

static bool table_is(const struct table *t, const char *name)
{
	return memcmp(t->bytes, name, 4) == 0;
}

/* The root table: XSDT with 8-byte entries if there is a sound one, else RSDT with 4-byte ones. */
static const char *root_open(const struct acpi *a, uint64_t address, struct table *root,
			     uint32_t *entry)
{
	const uint8_t *p = address ? a->view(a->context, address, RSDP_BYTES) : NULL;

	if (p == NULL)
		return "there is no readable ACPI root pointer";
	if (memcmp(p, "RSD PTR ", 8) != 0 || !sums_to_zero(p, RSDP_BYTES))
		return "the ACPI root pointer is broken";
	*entry = 8;
	if (p[RSDP_REVISION] >= 2) {
		const uint8_t *p2 = a->view(a->context, address, RSDP_BYTES_2);

		if (p2 != NULL && sums_to_zero(p2, RSDP_BYTES_2) &&
		    table_open(a, read_u64(p2 + RSDP_XSDT), root) && table_is(root, "XSDT"))
			return NULL;
	}
	*entry = 4;
	if (!table_open(a, read_u32(p + RSDP_RSDT), root) || !table_is(root, "RSDT"))
		return "the ACPI root table is missing or broken";
	return NULL;
}

/* The next table of this name behind entry *at. */
static bool table_next(const struct acpi *a, const struct table *root, uint32_t entry,
		       uint32_t *at, const char *name, struct table *t)
{
	while (root->length - *at >= entry) {
		const uint8_t *p = root->bytes + *at;

		*at += entry;
		if (table_open(a, entry == 8 ? read_u64(p) : read_u32(p), t) && table_is(t, name))
			return true;
	}
	return false;
}

/* A register of the FADT: the extended form if it is there and in port space, else the old one. */
static uint16_t fadt_port(const struct table *fadt, uint32_t old, uint32_t extended)
{
	const uint8_t *gas = fadt->bytes + extended;
	uint64_t port;

	if (fadt->length >= extended + GAS_BYTES && gas[0] == GAS_IO) {
		port = read_u64(gas + GAS_ADDRESS);
		if (port != 0 && port <= 0xfffe)
			return (uint16_t)port;
	}
	port = read_u32(fadt->bytes + old);
	return port <= 0xfffe ? (uint16_t)port : 0;
}

static bool dsdt_open(const struct acpi *a, const struct table *fadt, struct table *dsdt)
{
	if (fadt->length >= FADT_X_DSDT + 8 &&
	    table_open(a, read_u64(fadt->bytes + FADT_X_DSDT), dsdt) && table_is(dsdt, "DSDT"))
		return true;
	return table_open(a, read_u32(fadt->bytes + FADT_DSDT), dsdt) && table_is(dsdt, "DSDT");
}

/* _S5 from the DSDT, or from one of the SSDTs. */
static const char *sleep_find(const struct acpi *a, const struct table *root, uint32_t entry,
			      const struct table *fadt, struct acpi_s5 *s5)
{
	uint32_t at = HEADER_BYTES;
	struct table t;

	if (!dsdt_open(a, fadt, &t))
		return "the ACPI table DSDT is missing or broken";
	do {
		if (acpi_s5_find(t.bytes + HEADER_BYTES, t.length - HEADER_BYTES, s5))
			return NULL;
	} while (table_next(a, root, entry, &at, "SSDT", &t));
	return "the ACPI tables have no readable _S5 (soft off)";
}

const char *acpi_find_off(acpi_view *view, void *context, uint64_t rsdp, struct acpi_off *out)
{
	struct acpi a = { view, context };
	struct table root, fadt;
	struct acpi_s5 s5;
	uint32_t entry, at = HEADER_BYTES;
	uint16_t port;
	const char *why;

	if ((why = root_open(&a, rsdp, &root, &entry)) != NULL)
		return why;
	if (!table_next(&a, &root, entry, &at, "FACP", &fadt) || fadt.length < FADT_LEAST)
		return "the ACPI table FADT is missing or broken";
	if ((read_u32(fadt.bytes + FADT_FLAGS) & FADT_HW_REDUCED) != 0)
		return "this is a hardware-reduced ACPI machine without PM1 registers";
	if ((port = fadt_port(&fadt, FADT_PM1A, FADT_X_PM1A)) == 0)
		return "the FADT names no PM1a control port";
	if ((why = sleep_find(&a, &root, entry, &fadt, &s5)) != NULL)
		return why;
	out->port_a = port;
	out->port_b = fadt_port(&fadt, FADT_PM1B, FADT_X_PM1B);
	out->value_a = (uint16_t)(s5.type_a << 10 | 1u << 13);
	out->value_b = (uint16_t)(s5.type_b << 10 | 1u << 13);
	return NULL;
}
