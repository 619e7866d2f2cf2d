/* SPDX-License-Identifier: MIT */
/*
 * range.c - the Range field: "bytes=" and one range.
 */
#include "range.h"

#include <base/string.h>
#include <base/util.h>

/* A position; one that does not fit 64 bits lies behind every file. */
static bool position(struct http_text text, uint64_t *value)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	if (http_text_number(text, value) < 0)
		*value = UINT64_MAX;
	return text.bytes > 0;
}

/* "-n": the last n bytes. */
static enum range_kind range_suffix(struct http_text last, uint64_t size, struct range *out)
{
	uint64_t bytes;

	if (!position(last, &bytes))
		return RANGE_WHOLE;
	if (bytes == 0 || size == 0)
		return RANGE_NONE;
	*out = (struct range){ size - min_u64(bytes, size), size };
	return RANGE_PART;
}

enum range_kind range_read(struct http_text value, uint64_t size, struct range *out)
{
	struct http_text first, last;
	uint64_t to = UINT64_MAX;
	const char *dash;

	if (!http_text_starts(value, "bytes="))
		return RANGE_WHOLE;
	value = http_text_trim((struct http_text){ value.at + 6, value.bytes - 6 });
	dash = memchr(value.at, '-', value.bytes);
	if (dash == NULL)
		return RANGE_WHOLE;
	first = (struct http_text){ value.at, (size_t)(dash - value.at) };
	last = (struct http_text){ dash + 1, value.bytes - first.bytes - 1 };
	if (first.bytes == 0)
		return range_suffix(last, size, out);
	if (!position(first, &out->first) || (last.bytes > 0 && !position(last, &to)) ||
	    to < out->first)
		return RANGE_WHOLE;
	if (out->first >= size)
		return RANGE_NONE;
	out->end = to >= size ? size : to + 1;
	return RANGE_PART;
}
