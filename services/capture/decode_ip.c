/* SPDX-License-Identifier: MIT */
/*
 * decode_ip.c - IPv4 (RFC 791) and IPv6 (RFC 8200) headers.
 */
#include "decode.h"

#define IP4_HEADER  20u
#define IP6_HEADER  40u
#define IP6_OPTIONS 8u          /* extension headers looked through, at most */

static void decode_carried(struct text *t, const struct wire *w, unsigned protocol,
			   const struct decode_ends *ends)
{
	switch (protocol) {
	case PROTO_TCP:
		decode_tcp(t, w, ends);
		break;
	case PROTO_UDP:
		decode_udp(t, w, ends);
		break;
	case PROTO_ICMP:
		decode_icmp(t, w, ends);
		break;
	case PROTO_ICMP6:
		decode_icmp6(t, w, ends);
		break;
	default:
		decode_ends(t, ends, NULL);
		text_add(t, "protocol %u, length %u", protocol, w->length);
	}
}

/* A fragment that is not the first carries no header of its protocol. */
static void decode_fragment(struct text *t, const struct wire *w, unsigned protocol,
			    unsigned offset, unsigned more, const struct decode_ends *ends)
{
	decode_ends(t, ends, NULL);
	text_add(t, "fragment of protocol %u at %u%s, length %u", protocol, offset,
		 more ? ", more follow" : "", w->length);
}

void decode_ip4(struct text *t, const struct wire *whole)
{
	const uint8_t *h = whole->at;
	struct decode_ends ends = { h + 12, h + 16, text_ip4 };
	uint32_t header, total;
	struct wire w;

	text_add(t, "IP ");
	if (whole->bytes < IP4_HEADER) {
		text_add(t, "cut off, length %u", whole->length);
		return;
	}
	header = (h[0] & 0xfu) * 4;
	total = wire_16(h + 2);
	if (h[0] >> 4 != 4 || header < IP4_HEADER || total < header || header > whole->bytes) {
		text_add(t, "bad header (version %u, header %u, total %u)", h[0] >> 4, header,
			 total);
		return;
	}
	w = wire_cut(whole, total);
	if (w.length < total)
		text_add(t, "cut short by %u, ", total - w.length);
	w = wire_rest(&w, header);
	if ((wire_16(h + 6) & 0x1fff) != 0)
		decode_fragment(t, &w, h[9], (wire_16(h + 6) & 0x1fffu) * 8,
				wire_16(h + 6) & 0x2000u, &ends);
	else
		decode_carried(t, &w, h[9], &ends);
	if ((wire_16(h + 6) & 0x3fff) == 0x2000)
		text_add(t, ", first fragment");
}

/* Hop-by-hop, routing and destination options all begin with next header and length. */
static unsigned options_skip(struct wire *w, unsigned next)
{
	for (unsigned n = 0; n < IP6_OPTIONS && (next == 0 || next == 43 || next == 60); n++) {
		uint32_t bytes;

		if (w->bytes < 2)
			return next;
		bytes = (w->at[1] + 1u) * 8;
		if (bytes > w->bytes)
			return next;
		next = w->at[0];
		*w = wire_rest(w, bytes);
	}
	return next;
}

void decode_ip6(struct text *t, const struct wire *whole)
{
	const uint8_t *h = whole->at;
	struct decode_ends ends = { h + 8, h + 24, text_ip6 };
	struct wire w;
	unsigned next;

	text_add(t, "IP6 ");
	if (whole->bytes < IP6_HEADER || h[0] >> 4 != 6) {
		text_add(t, whole->bytes < IP6_HEADER ? "cut off, length %u"
						      : "bad version, length %u", whole->length);
		return;
	}
	w = wire_rest(whole, IP6_HEADER);
	w = wire_cut(&w, wire_16(h + 4));
	next = options_skip(&w, h[6]);
	if (next == 44 && w.bytes >= 8) {
		unsigned at = wire_16(w.at + 2);
		struct wire rest = wire_rest(&w, 8);

		decode_fragment(t, &rest, w.at[0], at & 0xfff8u, at & 1, &ends);
	} else {
		decode_carried(t, &w, next, &ends);
	}
}
