/* SPDX-License-Identifier: MIT */
/*
 * text.c - pieces of text: comparing, numbers, lists.
 */
#include <base/string.h>
#include <services/http.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

bool http_text_is(struct http_text text, const char *word)
{
	return strlen(word) == text.bytes && memcmp(text.at, word, text.bytes) == 0;
}

/* Do `bytes` bytes of a piece that has them equal those of `word`, but for case? */
static bool same(const char *text, const char *word, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (lower(text[i]) != lower(word[i]))
			return false;
	return true;
}

bool http_text_alike(struct http_text text, const char *word)
{
	return strlen(word) == text.bytes && same(text.at, word, text.bytes);
}

bool http_text_starts(struct http_text text, const char *word)
{
	size_t bytes = strlen(word);

	return bytes <= text.bytes && same(text.at, word, bytes);
}

int http_text_number(struct http_text text, uint64_t *value)
{
	uint64_t sum = 0;

	if (text.bytes == 0)
		return -1;
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned digit = (unsigned char)text.at[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return -1;
	}
	*value = sum;
	return 0;
}

struct http_text http_text_trim(struct http_text text)
{
	while (text.bytes > 0 && blank(text.at[0])) {
		text.at++;
		text.bytes--;
	}
	while (text.bytes > 0 && blank(text.at[text.bytes - 1]))
		text.bytes--;
	return text;
}

/* Bytes before the first comma that stands in no quotes, or all. */
static size_t item_bytes(struct http_text list)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < list.bytes && (quoted || list.at[i] != ','); i++)
		if (list.at[i] == '"')
			quoted = !quoted;
	return i;
}

bool http_list_next(struct http_text *list, struct http_text *item)
{
	while (list->bytes > 0) {
		size_t bytes = item_bytes(*list), step = bytes < list->bytes ? bytes + 1 : bytes;

		*item = http_text_trim((struct http_text){ list->at, bytes });
		list->at += step;
		list->bytes -= step;
		if (item->bytes > 0)
			return true;
	}
	return false;
}
