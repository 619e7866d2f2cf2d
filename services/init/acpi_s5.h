/* SPDX-License-Identifier: MIT */
/*
 * acpi_s5.h - the package _S5 in a table's AML.
 */
#ifndef INIT_ACPI_S5_H
#define INIT_ACPI_S5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_s5 {
	uint8_t type_a, type_b;         /* SLP_TYP for PM1a and PM1b, 0 to 7 */
};

/*
 * Look for Name (_S5, Package {a, b, ...}) with constant elements (ACPI 6.5: 20.2.5.1, 20.2.5.4,
 * 20.2.4).  False if there is none that is sound; *out is then untouched.
 */
bool acpi_s5_find(const uint8_t *aml, size_t bytes, struct acpi_s5 *out);

#endif
