/* SPDX-License-Identifier: MIT */
/*
 * own.c - packets of the capture's own download, which would otherwise capture itself.
 */
#include "capture.h"
#include "decode.h"

#define IP6_HEADER 40u

/* The TCP header in an Ethernet frame, or NULL: of IPv4 without fragments, or plain IPv6. */
static const uint8_t *tcp_find(const uint8_t *p, uint32_t bytes)
{
	const uint8_t *ip = p + ETHER_HEADER;
	uint32_t header;

	if (bytes < ETHER_HEADER + 20)
		return NULL;
	if (wire_16(p + 12) == ETHER_IP4 && ip[9] == PROTO_TCP &&
	    (wire_16(ip + 6) & 0x3fff) == 0)
		header = (ip[0] & 0xfu) * 4;
	else if (wire_16(p + 12) == ETHER_IP6 && ip[6] == PROTO_TCP)
		header = IP6_HEADER;
	else
		return NULL;
	return bytes - ETHER_HEADER >= header + 4 ? ip + header : NULL;
}

bool own_packet(const void *packet, uint32_t bytes, bool sent)
{
	const uint8_t *tcp = tcp_find(packet, bytes);

	return tcp != NULL && wire_16(sent ? tcp : tcp + 2) == CAPTURE_PORT;
}
