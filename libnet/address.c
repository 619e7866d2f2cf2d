/* SPDX-License-Identifier: MIT */
/*
 * address.c - Internet addresses: comparing, reading and writing them.
 */
#include <base/format.h>
#include <base/string.h>
#include <net/address.h>

#define GROUPS 8u               /* 16-bit groups of an IPv6 address */

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->byte, b->byte, net_addr_bytes(a->family)) == 0;
}

bool net_addr_within(const struct net_addr *a, const struct net_addr *net, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (a->family != net->family || prefix > 8 * net_addr_bytes(a->family))
		return false;
	if (memcmp(a->byte, net->byte, whole))
		return false;
	return rest == 0 || (a->byte[whole] ^ net->byte[whole]) >> (8 - rest) == 0;
}

bool net_addr_multicast(const struct net_addr *a)
{
	static const uint8_t ones[4] = { 255, 255, 255, 255 };

	if (a->family == 4)
		return a->byte[0] >> 4 == 0xe || memcmp(a->byte, ones, 4) == 0;
	return a->family == 6 && a->byte[0] == 0xff;
}

bool net_addr_link_local(const struct net_addr *a)
{
	if (a->family == 4)
		return a->byte[0] == 169 && a->byte[1] == 254;
	return a->family == 6 && a->byte[0] == 0xfe && (a->byte[1] & 0xc0) == 0x80;
}

/* A decimal number of one to three digits, below 256; NULL if there is none. */
static const char *parse_byte(const char *text, uint8_t *byte)
{
	unsigned value = 0, digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 3; text++, digits++)
		value = value * 10 + (unsigned)(*text - '0');
	if (digits == 0 || value > 255 || (*text >= '0' && *text <= '9'))
		return NULL;
	*byte = (uint8_t)value;
	return text;
}

static const char *parse_v4(const char *text, struct net_addr *out)
{
	*out = (struct net_addr){ .family = 4 };
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && *text++ != '.')
			return NULL;
		text = parse_byte(text, &out->byte[i]);
		if (!text)
			return NULL;
	}
	return text;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *parse_group(const char *text, uint8_t group[2])
{
	unsigned value = 0, digits = 0;

	for (; hex_digit(*text) >= 0 && digits < 4; text++, digits++)
		value = value << 4 | (unsigned)hex_digit(*text);
	if (digits == 0 || hex_digit(*text) >= 0)
		return NULL;
	group[0] = (uint8_t)(value >> 8);
	group[1] = (uint8_t)value;
	return text;
}

/* RFC 4291 section 2.2, forms 1 and 2. */
static const char *parse_v6(const char *text, struct net_addr *out)
{
	unsigned n = 0, gap = GROUPS + 1;

	*out = (struct net_addr){ .family = 6 };
	if (text[0] == ':' && text[1] != ':')
		return NULL;
	while (n < GROUPS) {
		if (text[0] == ':' && text[1] == ':') {
			if (gap <= GROUPS)
				return NULL;
			gap = n;
			text += 2;
		} else if (n > 0 && n != gap) {
			if (*text != ':')
				break;
			text++;
		}
		if (n == gap && hex_digit(*text) < 0)
			break;
		text = parse_group(text, &out->byte[2 * n]);
		if (!text)
			return NULL;
		n++;
	}
	if (gap > GROUPS && text[0] == ':' && text[1] == ':')
		return NULL;
	/* Either all groups stand there, or a gap stands for at least one. */
	if ((n < GROUPS) == (gap > GROUPS))
		return NULL;
	if (gap <= GROUPS) {
		memmove(out->byte + 2 * (GROUPS - (n - gap)), out->byte + 2 * gap, 2 * (n - gap));
		memset(out->byte + 2 * gap, 0, 2 * (GROUPS - n));
	}
	return text;
}

int net_addr_parse(const char *text, const char **end, struct net_addr *out)
{
	struct net_addr found;
	const char *at = parse_v4(text, &found);

	if (!at)
		at = parse_v6(text, &found);
	if (!at || (!end && *at))
		return -1;
	if (end)
		*end = at;
	*out = found;
	return 0;
}

static unsigned group_at(const struct net_addr *a, unsigned n)
{
	return (unsigned)a->byte[2 * n] << 8 | a->byte[2 * n + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2). */
static unsigned zero_run(const struct net_addr *a, unsigned *length)
{
	unsigned best = GROUPS;

	*length = 1;
	for (unsigned at = 0; at < GROUPS; at++) {
		unsigned end = at;

		while (end < GROUPS && group_at(a, end) == 0)
			end++;
		if (end - at > *length) {
			best = at;
			*length = end - at;
		}
	}
	return best;
}

static void text_v6(const struct net_addr *a, char *buffer)
{
	unsigned length, gap = zero_run(a, &length), at = 0;

	for (unsigned n = 0; n < GROUPS; n++) {
		if (n == gap) {
			at += (unsigned)format_buffer(buffer + at, NET_ADDR_TEXT - at, "::");
			n += length - 1;
			continue;
		}
		at += (unsigned)format_buffer(buffer + at, NET_ADDR_TEXT - at, "%s%x",
					      n > 0 && buffer[at - 1] != ':' ? ":" : "",
					      group_at(a, n));
	}
}

char *net_addr_text(const struct net_addr *a, char buffer[NET_ADDR_TEXT])
{
	if (a->family == 4)
		format_buffer(buffer, NET_ADDR_TEXT, "%u.%u.%u.%u", a->byte[0], a->byte[1],
			      a->byte[2], a->byte[3]);
	else if (a->family == 6)
		text_v6(a, buffer);
	else
		string_copy(buffer, "any", NET_ADDR_TEXT);
	return buffer;
}
