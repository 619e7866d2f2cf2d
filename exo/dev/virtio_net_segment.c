/* SPDX-License-Identifier: MIT */
/*
 * virtio_net_segment.c - which packets the device may cut into segments.
 *
 * The device reads the packet's own headers then, and rewrites some of their bytes in each segment.
 * So the driver reads them as well: only where both see the same headers (Ethernet without tags,
 * IPv4 without options or IPv6 without extensions, TCP) is it known which bytes those are.
 * Invariant: no byte that the device rewrites, or leaves out of later segments, is named by the
 * send pattern.
 */
#include "dev/virtio_net.h"

#include "kernel.h"

enum {                          /* offsets in the packet (RFC 894, 791, 8200) and the TCP header */
	ETHER_TYPE = 12,
	IP = 14,
	IPV4_PROTOCOL = IP + 9,
	IPV4_TCP = IP + 20,
	IPV6_NEXT = IP + 6,
	IPV6_TCP = IP + 40,
	TCP_WORDS = 12,         /* high half of the byte: 4-byte words of the header */
	TCP_MIN = 20,
	TCP_CHECKSUM = 16,
	PROTOCOL_TCP = 6,
	SEGMENT_MIN = 64,       /* payload bytes: less is no use, and many packets */
};

/* Bytes that differ from segment to segment. */
struct rewritten {
	uint8_t at, bytes;
};
static const struct rewritten ipv4[] = {
	{ IP + 2, 4 },          /* total length, identification */
	{ IP + 10, 2 },         /* header checksum */
};
static const struct rewritten ipv6[] = {
	{ IP + 4, 2 },          /* payload length */
};
static const struct rewritten tcp[] = { /* in the TCP header (RFC 9293) */
	{ 4, 4 },               /* sequence number */
	{ 12, 2 },              /* flags */
	{ TCP_CHECKSUM, 2 },
};

static bool named(const struct filter *f, uint32_t base, const struct rewritten *r, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (filter_names_send(f, base + r[i].at, r[i].bytes))
			return true;
	}
	return false;
}

static bool is_tcp4(const uint8_t *p)
{
	return p[ETHER_TYPE] == 0x08 && p[ETHER_TYPE + 1] == 0x00 && p[IP] == 0x45 &&
	       p[IPV4_PROTOCOL] == PROTOCOL_TCP;
}

static bool is_tcp6(const uint8_t *p)
{
	return p[ETHER_TYPE] == 0x86 && p[ETHER_TYPE + 1] == 0xdd && p[IP] >> 4 == 6 &&
	       p[IPV6_NEXT] == PROTOCOL_TCP;
}

int vnet_segments(const struct nic *n, const struct filter *f, const struct nic_send *s,
                  const uint8_t *header)
{
	bool v4 = s->flags & EXO_TX_SEGMENT4;
	uint32_t start = v4 ? IPV4_TCP : IPV6_TCP, end = s->header;

	if (!(v4 ? is_tcp4(header) : is_tcp6(header)))
		return -EXO_E_ARG;
	if (s->checksum_start != start || s->checksum_offset != TCP_CHECKSUM)
		return -EXO_E_ARG;
	if (end < start + TCP_MIN || end != start + (header[start + TCP_WORDS] >> 4) * 4u)
		return -EXO_E_ARG;
	if (s->segment < SEGMENT_MIN || s->length <= end || s->segment + end > n->info->bytes_max)
		return -EXO_E_RANGE;
	if (v4 ? named(f, 0, ipv4, ARRAY_LEN(ipv4)) : named(f, 0, ipv6, ARRAY_LEN(ipv6)))
		return -EXO_E_RIGHTS;
	if (named(f, start, tcp, ARRAY_LEN(tcp)) ||
	    filter_names_send(f, end, EXO_NIC_HEADER - end))
		return -EXO_E_RIGHTS;
	return 0;
}
