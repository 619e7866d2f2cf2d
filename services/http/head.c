/* SPDX-License-Identifier: MIT */
/*
 * head.c - lines and fields of a message's head.
 *
 * Invariant: fields that left head_fields are well formed, so that http_field_next cannot fail on
 * them.  No line is folded (RFC 9112 5.2 lets a server refuse that) and none has control bytes.
 */
#include "head.h"

#include <base/string.h>

size_t http_head_skip(const char *text, size_t bytes)
{
	size_t at = 0;

	while (at < bytes) {
		size_t cr = text[at] == '\r';

		if (bytes - at <= cr || text[at + cr] != '\n')
			break;
		at += cr + 1;
	}
	return at;
}

size_t http_head_bytes(const char *text, size_t bytes, size_t *seen)
{
	const char *end;

	while ((end = memchr(text + *seen, '\n', bytes - *seen)) != NULL) {
		size_t at = (size_t)(end - text), left = bytes - at;
		size_t cr = left > 1 && end[1] == '\r';

		/* The line end is looked at again once what follows it is there. */
		*seen = at;
		if (left < 2 + cr)
			return 0;
		if (end[1 + cr] == '\n')
			return at + 2 + cr;
		*seen = at + 1;
	}
	*seen = bytes;
	return 0;
}

bool head_line(struct http_text *rest, struct http_text *line)
{
	const char *end = memchr(rest->at, '\n', rest->bytes);
	size_t bytes;

	if (end == NULL)
		return false;
	bytes = (size_t)(end - rest->at);
	*line = (struct http_text){ rest->at, bytes };
	if (bytes > 0 && end[-1] == '\r')
		line->bytes--;
	rest->at += bytes + 1;
	rest->bytes -= bytes + 1;
	return true;
}

bool head_word(struct http_text *line, struct http_text *word)
{
	const char *space = memchr(line->at, ' ', line->bytes);

	if (space == NULL)
		return false;
	*word = (struct http_text){ line->at, (size_t)(space - line->at) };
	line->at += word->bytes + 1;
	line->bytes -= word->bytes + 1;
	return true;
}

static bool token_byte(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool head_token(struct http_text text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (!token_byte(text.at[i]))
			return false;
	return text.bytes > 0;
}

/* Visible bytes, spaces, tabs, and what is not ASCII. */
static bool value_good(struct http_text value)
{
	for (size_t i = 0; i < value.bytes; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool field_split(struct http_text line, struct http_text *name, struct http_text *value)
{
	const char *colon = memchr(line.at, ':', line.bytes);

	if (colon == NULL)
		return false;
	*name = (struct http_text){ line.at, (size_t)(colon - line.at) };
	*value = http_text_trim((struct http_text){ colon + 1, line.bytes - name->bytes - 1 });
	return true;
}

int head_fields(struct http_text rest, struct http_text *fields)
{
	struct http_text line, name, value;
	const char *first = rest.at;
	unsigned count = 0;

	while (head_line(&rest, &line)) {
		if (line.bytes == 0) {
			*fields = (struct http_text){ first, (size_t)(line.at - first) };
			return rest.bytes == 0 ? 0 : 400;
		}
		if (count++ == HTTP_FIELDS_MAX)
			return 431;
		if (!field_split(line, &name, &value) || !head_token(name) || !value_good(value))
			return 400;
	}
	return 400;
}

int head_version(struct http_text word, uint32_t *minor)
{
	const char *c = word.at;

	if (word.bytes != 8 || memcmp(c, "HTTP/", 5) != 0 || c[6] != '.' ||
	    c[5] < '0' || c[5] > '9' || c[7] < '0' || c[7] > '9')
		return 400;
	*minor = (uint32_t)(c[7] - '0');
	return c[5] == '1' ? 0 : 505;
}

bool http_field_next(struct http_text *fields, struct http_text *name, struct http_text *value)
{
	struct http_text line;

	return head_line(fields, &line) && field_split(line, name, value);
}

unsigned http_field_find(struct http_text fields, const char *name, struct http_text *value)
{
	struct http_text found, text;
	unsigned count = 0;

	while (http_field_next(&fields, &found, &text))
		if (http_text_alike(found, name) && count++ == 0)
			*value = text;
	return count;
}

bool http_field_lists(struct http_text fields, const char *name, const char *word)
{
	struct http_text found, text, item;

	while (http_field_next(&fields, &found, &text)) {
		if (!http_text_alike(found, name))
			continue;
		while (http_list_next(&text, &item))
			if (http_text_alike(item, word))
				return true;
	}
	return false;
}
