/* SPDX-License-Identifier: MIT */
/*
 * error.c - texts and names of the kernel's errors, from its one list.
 */
#include <base/util.h>
#include <exos/error.h>
#include <stddef.h>

#define TEXT(name, number, text) [number] = text,
static const char *const texts[] = { [0] = "no error", EXO_ERRORS(TEXT) };
#define NAME(name, number, text) [number] = #name,
static const char *const names[] = { [0] = "OK", EXO_ERRORS(NAME) };

static const char *error_pick(const char *const *list, size_t count, int64_t code,
			      const char *unknown)
{
	uint64_t n = code < 0 ? -(uint64_t)code : (uint64_t)code;

	return n < count && list[n] ? list[n] : unknown;
}

const char *exo_error_text(int64_t code)
{
	return error_pick(texts, ARRAY_LEN(texts), code, "unknown error");
}

const char *exo_error_name(int64_t code)
{
	return error_pick(names, ARRAY_LEN(names), code, "?");
}
