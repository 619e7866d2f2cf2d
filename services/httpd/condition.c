/* SPDX-License-Identifier: MIT */
/*
 * condition.c - conditional requests, in the order of RFC 9110 13.2.2.
 */
#include "condition.h"

#include <base/format.h>

void condition_make(struct condition *c, const struct fs_attr *attr)
{
	c->modified = attr->modified.seconds;
	http_date_write(c->modified, c->date);
	format_buffer(c->tag, sizeof(c->tag), "\"%lx-%lx-%lx.%x\"", (unsigned long)attr->ino,
		      (unsigned long)attr->size, (unsigned long)attr->modified.seconds,
		      attr->modified.ns);
}

/* Is the tag, or "*", in any field of this name?  weak: W/ before a tag is passed over. */
static bool tag_listed(const struct condition *c, struct http_text fields, const char *name,
		       bool weak)
{
	struct http_text found, value, item;

	while (http_field_next(&fields, &found, &value)) {
		if (!http_text_alike(found, name))
			continue;
		while (http_list_next(&value, &item)) {
			if (weak && item.bytes > 2 && item.at[0] == 'W' && item.at[1] == '/')
				item = (struct http_text){ item.at + 2, item.bytes - 2 };
			if (http_text_is(item, c->tag) || http_text_is(item, "*"))
				return true;
		}
	}
	return false;
}

/* The date in a field; false if the field is absent, several, or no date: it does not count. */
static bool field_date(struct http_text fields, const char *name, int64_t *seconds)
{
	struct http_text value;

	return http_field_find(fields, name, &value) == 1 && http_date_read(value, seconds) == 0;
}

int condition_check(const struct condition *c, struct http_text fields)
{
	struct http_text value;
	int64_t date;

	if (http_field_find(fields, "if-match", &value) > 0) {
		if (!tag_listed(c, fields, "if-match", false))
			return 412;
	} else if (field_date(fields, "if-unmodified-since", &date) && c->modified > date) {
		return 412;
	}
	if (http_field_find(fields, "if-none-match", &value) > 0)
		return tag_listed(c, fields, "if-none-match", true) ? 304 : 0;
	if (field_date(fields, "if-modified-since", &date) && c->modified <= date)
		return 304;
	return 0;
}

bool condition_range(const struct condition *c, struct http_text fields)
{
	struct http_text value;
	unsigned count = http_field_find(fields, "if-range", &value);

	if (count == 0)
		return true;
	return count == 1 && (http_text_is(value, c->tag) || http_text_is(value, c->date));
}
