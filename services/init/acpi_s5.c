/* SPDX-License-Identifier: MIT */
/*
 * acpi_s5.c - finding one named package in AML without running it.
 *
 * Invariant: the reader never leaves the package, and the package never leaves the table.
 */
#include "acpi_s5.h"

#include <base/string.h>
#include <base/util.h>

enum {
	AML_ZERO = 0x00, AML_ONE = 0x01, AML_NAME = 0x08, AML_BYTE = 0x0a, AML_WORD = 0x0b,
	AML_DWORD = 0x0c, AML_PACKAGE = 0x12, AML_ROOT = '\\',
};

struct aml {
	const uint8_t *at;
	size_t         left;
};

static bool aml_byte(struct aml *a, uint8_t *byte)
{
	if (a->left == 0)
		return false;
	*byte = *a->at++;
	a->left--;
	return true;
}

/* PkgLength counts itself: narrow the reader to what follows it in the package. */
static bool aml_enter(struct aml *a)
{
	const struct aml start = *a;
	uint8_t lead, byte;
	size_t length, follow;

	if (!aml_byte(a, &lead))
		return false;
	follow = lead >> 6;
	length = follow == 0 ? lead & 0x3fu : lead & 0x0fu;
	for (size_t i = 0; i < follow; i++) {
		if (!aml_byte(a, &byte))
			return false;
		length |= (size_t)byte << (4 + 8 * i);
	}
	if (length < follow + 1 || length > start.left)
		return false;
	a->left = length - (follow + 1);
	return true;
}

/* A constant integer; only its low byte matters to us, but all of it must be there. */
static bool aml_integer(struct aml *a, uint8_t *low)
{
	uint8_t op, skip;
	size_t more = 0;

	if (!aml_byte(a, &op))
		return false;
	if (op == AML_ZERO || op == AML_ONE) {
		*low = op;
		return true;
	}
	if (op == AML_WORD)
		more = 1;
	else if (op == AML_DWORD)
		more = 3;
	else if (op != AML_BYTE)
		return false;
	if (!aml_byte(a, low))
		return false;
	while (more-- > 0)
		if (!aml_byte(a, &skip))
			return false;
	return true;
}

static bool s5_read(struct aml a, struct acpi_s5 *out)
{
	struct acpi_s5 s5;
	uint8_t op, elements;

	if (!aml_byte(&a, &op) || op != AML_PACKAGE || !aml_enter(&a))
		return false;
	if (!aml_byte(&a, &elements) || elements < 1)
		return false;
	if (!aml_integer(&a, &s5.type_a))
		return false;
	s5.type_b = 0;
	if (elements >= 2 && !aml_integer(&a, &s5.type_b))
		return false;
	if (s5.type_a > 7 || s5.type_b > 7)
		return false;
	*out = s5;
	return true;
}

bool acpi_s5_find(const uint8_t *aml, size_t bytes, struct acpi_s5 *out)
{
	const uint8_t *end = aml + bytes;

	if (bytes < 5)
		return false;
	for (const uint8_t *p = aml + 1; p <= end - 4; p++) {
		struct aml a = { p + 4, (size_t)(end - p) - 4 };

		if (*p != '_' || memcmp(p, "_S5_", 4) != 0)
			continue;
		if (p[-1] != AML_NAME &&
		    !(p[-1] == AML_ROOT && p - aml >= 2 && p[-2] == AML_NAME))
			continue;
		if (s5_read(a, out))
			return true;
	}
	return false;
}
