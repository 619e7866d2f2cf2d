/* SPDX-License-Identifier: MIT */
/*
 * decode_transport.c - TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443, 4861).
 */
#include <base/util.h>

#include "decode.h"

#define TCP_HEADER  20u
#define UDP_HEADER  8u
#define ICMP_HEADER 8u

void decode_ends(struct text *t, const struct decode_ends *ends, const uint8_t *ports)
{
	ends->text(t, ends->from);
	if (ports != NULL)
		text_add(t, ".%u", wire_16(ports));
	text_add(t, " > ");
	ends->text(t, ends->to);
	if (ports != NULL)
		text_add(t, ".%u", wire_16(ports + 2));
	text_add(t, ": ");
}

static void decode_cut(struct text *t, const struct wire *w, const struct decode_ends *ends,
		       const char *what)
{
	decode_ends(t, ends, NULL);
	text_add(t, "%s cut off, length %u", what, w->length);
}

static void tcp_flags(struct text *t, unsigned flags)
{
	static const struct { uint8_t bit; char letter; } letter[] = {
		{ 0x02, 'S' }, { 0x01, 'F' }, { 0x08, 'P' }, { 0x04, 'R' }, { 0x20, 'U' },
		{ 0x40, 'E' }, { 0x80, 'W' }, { 0x10, '.' },
	};

	text_add(t, "Flags [");
	for (size_t i = 0; i < ARRAY_LEN(letter); i++)
		if (flags & letter[i].bit)
			text_add(t, "%c", letter[i].letter);
	text_add(t, flags == 0 ? "none]" : "]");
}

void decode_tcp(struct text *t, const struct wire *w, const struct decode_ends *ends)
{
	const uint8_t *h = w->at;
	uint32_t header, payload;

	if (w->bytes < TCP_HEADER) {
		decode_cut(t, w, ends, "TCP");
		return;
	}
	decode_ends(t, ends, h);
	header = (h[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > w->length) {
		text_add(t, "TCP, bad header length %u", header);
		return;
	}
	payload = w->length - header;
	tcp_flags(t, h[13]);
	if (payload > 0 || h[13] & 0x07)
		text_add(t, ", seq %u", wire_32(h + 4));
	if (payload > 0)
		text_add(t, ":%u", wire_32(h + 4) + payload);
	if (h[13] & 0x10)
		text_add(t, ", ack %u", wire_32(h + 8));
	text_add(t, ", win %u, length %u", wire_16(h + 14), payload);
}

/* What a port is for, where a word helps. */
static const char *udp_service(unsigned from, unsigned to)
{
	static const struct { uint16_t port; const char *name; } known[] = {
		{ 53, "DNS" }, { 67, "DHCP" }, { 68, "DHCP" }, { 123, "NTP" }, { 546, "DHCPv6" },
		{ 547, "DHCPv6" }, { 5353, "mDNS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].port == from || known[i].port == to)
			return known[i].name;
	return NULL;
}

void decode_udp(struct text *t, const struct wire *w, const struct decode_ends *ends)
{
	const uint8_t *h = w->at;
	const char *service;

	if (w->bytes < UDP_HEADER) {
		decode_cut(t, w, ends, "UDP");
		return;
	}
	decode_ends(t, ends, h);
	if (wire_16(h + 4) < UDP_HEADER || wire_16(h + 4) > w->length) {
		text_add(t, "UDP, bad length %u", wire_16(h + 4));
		return;
	}
	service = udp_service(wire_16(h), wire_16(h + 2));
	text_add(t, "UDP%s%s, length %u", service != NULL ? ", " : "",
		 service != NULL ? service : "", wire_16(h + 4) - UDP_HEADER);
}

static const char *unreachable_text(unsigned code)
{
	static const char *const text[] = {
		"network unreachable", "host unreachable", "protocol unreachable",
		"port unreachable", "fragmentation needed", "source route failed",
	};

	return code < ARRAY_LEN(text) ? text[code] : "unreachable";
}

static void icmp_echo(struct text *t, const uint8_t *h, const char *what)
{
	text_add(t, "echo %s, id %u, seq %u", what, wire_16(h + 4), wire_16(h + 6));
}

void decode_icmp(struct text *t, const struct wire *w, const struct decode_ends *ends)
{
	const uint8_t *h = w->at;

	if (w->bytes < ICMP_HEADER) {
		decode_cut(t, w, ends, "ICMP");
		return;
	}
	decode_ends(t, ends, NULL);
	text_add(t, "ICMP ");
	switch (h[0]) {
	case 0:
		icmp_echo(t, h, "reply");
		break;
	case 3:
		text_add(t, "%s", unreachable_text(h[1]));
		break;
	case 5:
		text_add(t, "redirect");
		break;
	case 8:
		icmp_echo(t, h, "request");
		break;
	case 11:
		text_add(t, "time exceeded");
		break;
	default:
		text_add(t, "type %u, code %u", h[0], h[1]);
	}
	text_add(t, ", length %u", w->length);
}

/* Neighbour solicitation and advertisement name the address they are about. */
static void icmp6_target(struct text *t, const struct wire *w, const char *what)
{
	text_add(t, "%s", what);
	if (w->bytes >= 24) {
		text_add(t, " ");
		text_ip6(t, w->at + 8);
	}
}

void decode_icmp6(struct text *t, const struct wire *w, const struct decode_ends *ends)
{
	static const struct { uint8_t type; const char *text; } known[] = {
		{ 1, "unreachable" }, { 2, "packet too big" }, { 3, "time exceeded" },
		{ 4, "parameter problem" }, { 130, "multicast listener query" },
		{ 131, "multicast listener report" }, { 132, "multicast listener done" },
		{ 133, "router solicitation" }, { 134, "router advertisement" },
		{ 137, "redirect" }, { 143, "multicast listener report v2" },
	};
	const uint8_t *h = w->at;
	const char *text = NULL;

	if (w->bytes < ICMP_HEADER) {
		decode_cut(t, w, ends, "ICMP6");
		return;
	}
	decode_ends(t, ends, NULL);
	text_add(t, "ICMP6, ");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].type == h[0])
			text = known[i].text;
	if (h[0] == 128 || h[0] == 129)
		icmp_echo(t, h, h[0] == 128 ? "request" : "reply");
	else if (h[0] == 135 || h[0] == 136)
		icmp6_target(t, w, h[0] == 135 ? "neighbor solicitation, who has"
					       : "neighbor advertisement, target is");
	else if (text != NULL)
		text_add(t, "%s", text);
	else
		text_add(t, "type %u, code %u", h[0], h[1]);
	text_add(t, ", length %u", w->length);
}
