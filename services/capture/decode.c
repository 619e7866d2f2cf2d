/* SPDX-License-Identifier: MIT */
/*
 * decode.c - Ethernet and ARP.
 */
#include "decode.h"

#define ARP_BYTES 28u           /* for Ethernet and IPv4 (RFC 826) */

static void decode_arp(struct text *t, const struct wire *w)
{
	const uint8_t *a = w->at;

	text_add(t, "ARP ");
	if (w->bytes < ARP_BYTES) {
		text_add(t, "cut off, length %u", w->length);
		return;
	}
	if (wire_16(a) != 1 || wire_16(a + 2) != ETHER_IP4 || a[4] != 6 || a[5] != 4) {
		text_add(t, "of another network, length %u", w->length);
		return;
	}
	if (wire_16(a + 6) == 1) {
		text_add(t, "request who-has ");
		text_ip4(t, a + 24);
		text_add(t, " tell ");
		text_ip4(t, a + 14);
	} else if (wire_16(a + 6) == 2) {
		text_add(t, "reply ");
		text_ip4(t, a + 14);
		text_add(t, " is-at ");
		text_mac(t, a + 8);
	} else {
		text_add(t, "operation %u", wire_16(a + 6));
	}
	text_add(t, ", length %u", w->length);
}

static void decode_type(struct text *t, const struct wire *w, const uint8_t *macs, uint16_t type)
{
	switch (type) {
	case ETHER_IP4:
		decode_ip4(t, w);
		break;
	case ETHER_IP6:
		decode_ip6(t, w);
		break;
	case ETHER_ARP:
		decode_arp(t, w);
		break;
	default:
		text_mac(t, macs + 6);
		text_add(t, " > ");
		text_mac(t, macs);
		text_add(t, type < 0x600 ? ", 802.3, length %u" : ", ethertype 0x%04x", type);
		if (type >= 0x600)
			text_add(t, ", length %u", w->length);
	}
}

void decode_line(const void *packet, uint32_t bytes, uint32_t length, char *line, size_t room)
{
	struct wire w = { packet, bytes, length < bytes ? bytes : length };
	const uint8_t *macs = packet;
	struct text t;
	uint16_t type;

	text_begin(&t, line, room);
	if (bytes < ETHER_HEADER) {
		text_add(&t, "runt, length %u", length);
		return;
	}
	type = wire_16(w.at + 12);
	w = wire_rest(&w, ETHER_HEADER);
	if (type == ETHER_VLAN && w.bytes >= 4) {
		text_add(&t, "vlan %u, ", wire_16(w.at) & 0xfff);
		type = wire_16(w.at + 2);
		w = wire_rest(&w, 4);
	}
	decode_type(&t, &w, macs, type);
}
