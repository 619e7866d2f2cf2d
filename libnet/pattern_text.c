/* SPDX-License-Identifier: MIT */
/*
 * pattern_text.c - a pattern in words.
 *
 * Each piece that is recognised clears its bits in `left`; what is left at the end is shown as
 * bytes, so that nothing a pattern names goes unsaid.
 */
#include "pattern.h"

#include <base/format.h>
#include <base/string.h>
#include <net/pattern.h>

struct text {
	const uint8_t *mask, *value;
	uint8_t left[EXO_NIC_HEADER];   /* bits not yet said */
	char *buffer;
	size_t bytes, at;
	int family;             /* of the IP header, 0: none */
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = format_buffer_v(t->buffer + t->at, t->bytes - t->at, format, args);
	va_end(args);
	t->at += (size_t)length;
	if (t->at >= t->bytes)
		t->at = t->bytes - 1;
}

/* Are all bits of [at, at + bytes) named? Then they count as said. */
static bool whole(struct text *t, uint32_t at, uint32_t bytes)
{
	for (uint32_t i = at; i < at + bytes; i++)
		if (t->mask[i] != 0xff)
			return false;
	memset(t->left + at, 0, bytes);
	return true;
}

static unsigned word_at(const uint8_t *bytes, uint32_t at)
{
	return (unsigned)bytes[at] << 8 | bytes[at + 1];
}

/* A blank between two pieces. */
static void gap(struct text *t)
{
	if (t->at > 0)
		say(t, " ");
}

static void say_protocol(struct text *t)
{
	uint32_t at = t->family == 6 ? PATTERN_IP6_NEXT : PATTERN_IP4_PROTOCOL;
	const char *six = t->family == 6 ? "6" : "";

	if (!whole(t, at, 1))
		say(t, "ip%s", six);
	else if (t->value[at] == NET_TCP)
		say(t, "tcp%s", six);
	else if (t->value[at] == NET_UDP)
		say(t, "udp%s", six);
	else if (t->value[at] == (t->family == 6 ? NET_ICMPV6 : NET_ICMP))
		say(t, "icmp%s", six);
	else
		say(t, "ip%s protocol %u", six, t->value[at]);
}

static void say_type(struct text *t)
{
	unsigned type;

	if (!whole(t, PATTERN_TYPE, 2))
		return;
	type = word_at(t->value, PATTERN_TYPE);
	if (type == NET_ETHERTYPE_IPV4)
		t->family = 4;
	else if (type == NET_ETHERTYPE_IPV6)
		t->family = 6;
	else if (type == NET_ETHERTYPE_ARP)
		say(t, "arp");
	else
		say(t, "ethertype 0x%04x", type);
	if (t->family)
		say_protocol(t);
}

/* The protocol's number if it is named, else 0. */
static unsigned protocol_of(const struct text *t)
{
	uint32_t at = t->family == 6 ? PATTERN_IP6_NEXT : PATTERN_IP4_PROTOCOL;

	return t->family && t->mask[at] == 0xff ? t->value[at] : 0;
}

static bool has_ports(const struct text *t)
{
	unsigned protocol = protocol_of(t);

	return protocol == NET_TCP || protocol == NET_UDP;
}

/* "from 10.0.2.15:80", "to port 80", ... */
static void say_side(struct text *t, const char *word, uint32_t address, uint32_t port)
{
	struct net_addr addr = { .family = (uint32_t)t->family };
	uint32_t bytes = (uint32_t)net_addr_bytes(addr.family);
	bool named = whole(t, address, bytes);
	unsigned bits = has_ports(t) ? word_at(t->mask, port) : 0;
	char text[NET_ADDR_TEXT];

	if (!named && !bits)
		return;
	gap(t);
	say(t, "%s ", word);
	memcpy(addr.byte, t->value + address, bytes);
	if (named)
		say(t, t->family == 6 && bits ? "[%s]" : "%s", net_addr_text(&addr, text));
	if (!bits)
		return;
	memset(t->left + port, 0, 2);
	say(t, named ? ":" : "port ");
	say(t, bits == 0xffff ? "%u" : "%u/%#x", word_at(t->value, port), bits);
}

/* What follows from a port's being named is not worth a word. */
static void pass_plain(struct text *t)
{
	uint8_t *left = t->left;

	if (t->family == 6 && t->mask[PATTERN_IP] == 0xf0 && t->value[PATTERN_IP] == 0x60)
		left[PATTERN_IP] = 0;
	if (t->family != 4 || t->mask[PATTERN_IP] != 0xff || t->value[PATTERN_IP] != 0x45 ||
	    word_at(t->mask, PATTERN_IP4_FRAGMENT) != PATTERN_IP4_FRAGMENT_BITS ||
	    word_at(t->value, PATTERN_IP4_FRAGMENT) != 0)
		return;
	left[PATTERN_IP] = 0;
	memset(left + PATTERN_IP4_FRAGMENT, 0, 2);
}

static void say_echo(struct text *t)
{
	uint32_t at = t->family == 6 ? PATTERN_IP6_PORTS : PATTERN_IP4_PORTS;
	unsigned type = t->value[at];
	bool request = type == (t->family == 6 ? PATTERN_ECHO6_REQUEST : PATTERN_ECHO4_REQUEST);
	bool reply = type == (t->family == 6 ? PATTERN_ECHO6_REPLY : PATTERN_ECHO4_REPLY);

	if (protocol_of(t) != (t->family == 6 ? NET_ICMPV6 : NET_ICMP) || t->mask[at] != 0xff ||
	    (!request && !reply))
		return;
	t->left[at] = 0;
	say(t, request ? " echo requests" : " echo replies");
	if (whole(t, at + PATTERN_ECHO_ID, 2))
		say(t, " with id %u", word_at(t->value, at + PATTERN_ECHO_ID));
}

static void say_mac(struct text *t, const char *word, uint32_t at)
{
	const uint8_t *m = t->value + at;

	if (!whole(t, at, NET_MAC_BYTES))
		return;
	gap(t);
	say(t, "%s %02x:%02x:%02x:%02x:%02x:%02x", word, m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void say_rest(struct text *t)
{
	for (uint32_t i = 0; i < EXO_NIC_HEADER; i++) {
		if (!t->left[i])
			continue;
		gap(t);
		say(t, "byte %u = %02x", i, t->value[i]);
		if (t->mask[i] != 0xff)
			say(t, "/%02x", t->mask[i]);
	}
}

char *net_pattern_text(const struct exo_pattern *pattern, bool send, char *buffer, size_t bytes)
{
	struct text t = {
		.mask = (const uint8_t *)pattern->mask, .value = (const uint8_t *)pattern->value,
		.buffer = buffer, .bytes = bytes,
	};
	uint32_t ports;

	if (bytes == 0)
		return buffer;
	buffer[0] = 0;
	memcpy(t.left, pattern->mask, sizeof t.left);
	say_type(&t);
	if (t.family) {
		bool six = t.family == 6;

		ports = six ? PATTERN_IP6_PORTS : PATTERN_IP4_PORTS;
		say_echo(&t);
		say_side(&t, "from", six ? PATTERN_IP6_SOURCE : PATTERN_IP4_SOURCE, ports);
		say_side(&t, "to", six ? PATTERN_IP6_DEST : PATTERN_IP4_DEST, ports + 2);
		pass_plain(&t);
	}
	say_mac(&t, send ? "by" : "sent by", PATTERN_MAC_SOURCE);
	say_mac(&t, "for", PATTERN_MAC_DEST);
	say_rest(&t);
	if (t.at == 0)
		say(&t, "all packets");
	return buffer;
}
