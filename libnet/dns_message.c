/* SPDX-License-Identifier: MIT */
/*
 * dns_message.c - writing DNS queries and reading answers, which are hostile bytes.
 *
 * An answer counts if it repeats identifier and question of the query.  Names in it are skipped,
 * not compared: a resolver follows aliases itself and puts the addresses into the same answer.
 */
#include "dns_message.h"

#include <base/string.h>
#include <net/error.h>

#define HEADER     12u
#define LABEL_MAX  63u
#define NAME_MAX   253u         /* as text */
#define CLASS_IN   1u
#define FLAG_ANSWER 0x80u       /* first flag byte */
#define FLAG_RECURSE 0x01u      /* first flag byte: recursion desired */
#define CODE_MASK  0x0fu        /* second flag byte */
#define CODE_OK    0u
#define CODE_NO_NAME 3u
#define POINTER    0xc0u        /* first byte of a compressed name's end */

static unsigned word_at(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void word_put(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* The name as labels; the bytes written, or 0. */
static size_t put_name(uint8_t *to, const char *host)
{
	size_t length = strnlen(host, NAME_MAX + 2), at = 0;

	if (length > 0 && host[length - 1] == '.')
		length--;
	if (length == 0 || length > NAME_MAX)
		return 0;
	for (size_t i = 0; i < length;) {
		size_t label = 0;

		while (i + label < length && label_byte(host[i + label]))
			label++;
		if (label == 0 || label > LABEL_MAX)
			return 0;
		to[at++] = (uint8_t)label;
		memcpy(to + at, host + i, label);
		at += label;
		i += label;
		if (i < length && (host[i++] != '.' || i == length))
			return 0;
	}
	to[at++] = 0;
	return at;
}

size_t dns_query(uint8_t message[DNS_QUERY_BYTES], uint16_t id, const char *host, uint16_t type)
{
	size_t name;

	memset(message, 0, DNS_QUERY_BYTES);
	word_put(message, id);
	message[2] = FLAG_RECURSE;
	word_put(message + 4, 1);       /* one question */
	name = put_name(message + HEADER, host);
	if (name == 0)
		return 0;
	word_put(message + HEADER + name, type);
	word_put(message + HEADER + name + 2, CLASS_IN);
	return HEADER + name + 4;
}

/* Behind a name at `at`, or 0 if it is cut off or malformed. */
static size_t skip_name(const uint8_t *message, size_t bytes, size_t at)
{
	while (at < bytes) {
		if ((message[at] & POINTER) == POINTER)
			return bytes - at >= 2 ? at + 2 : 0;
		if (message[at] > LABEL_MAX)
			return 0;
		if (message[at] == 0)
			return at + 1;
		at += 1u + message[at];
	}
	return 0;
}

/* One record: where the next begins, or 0; *out if it is an address of the type. */
static size_t record(const uint8_t *message, size_t bytes, size_t at, uint16_t type,
		     struct net_addr *out)
{
	uint32_t family = type == DNS_TYPE_AAAA ? 6 : 4;
	size_t data;

	at = skip_name(message, bytes, at);
	/* Type, class, time to live, length of the data. */
	if (at == 0 || bytes - at < 10)
		return 0;
	data = word_at(message + at + 8);
	if (bytes - at - 10 < data)
		return 0;
	if (word_at(message + at) == type && word_at(message + at + 2) == CLASS_IN &&
	    data == net_addr_bytes(family)) {
		*out = (struct net_addr){ .family = family };
		memcpy(out->byte, message + at + 10, data);
	}
	return at + 10 + data;
}

int dns_answer(const uint8_t *message, size_t bytes, const uint8_t *query, size_t query_bytes,
	       uint16_t type, struct net_addr *out)
{
	struct net_addr found = { .family = 0 };
	size_t at = query_bytes;
	unsigned records, code;

	if (bytes < query_bytes || word_at(message) != word_at(query) ||
	    !(message[2] & FLAG_ANSWER) || word_at(message + 4) != 1 ||
	    memcmp(message + HEADER, query + HEADER, query_bytes - HEADER))
		return -NET_E_PROTOCOL;
	code = message[3] & CODE_MASK;
	if (code != CODE_OK)
		return code == CODE_NO_NAME ? -NET_E_NO_NAME : -NET_E_DNS_FAILED;
	for (records = word_at(message + 6); records > 0 && !found.family; records--) {
		at = record(message, bytes, at, type, &found);
		if (at == 0)
			return -NET_E_PROTOCOL;
	}
	if (!found.family)
		return -NET_E_NO_NAME;
	*out = found;
	return 0;
}
