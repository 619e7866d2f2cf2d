/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - protocols in terms of masked bytes: builders for struct exo_nic_spec, and back.
 *
 * Here, and not in the kernel, stand the numbers of Ethernet II (IEEE 802.3), ARP (RFC 826), IPv4
 * (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768) and ICMP (RFC 792, 4443).
 *
 * A claim on ports names: header length 5 words (no options) and "not a fragment", since elsewhere
 * the port would stand in other bytes.  What has options or is a fragment belongs to the wider
 * claim.
 */
#ifndef NET_PATTERN_H
#define NET_PATTERN_H

#include <exo/nic.h>
#include <net/address.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_ETHERTYPE_IPV4 0x0800u
#define NET_ETHERTYPE_ARP  0x0806u
#define NET_ETHERTYPE_IPV6 0x86ddu

/* IP protocol numbers. */
#define NET_ICMP   1u
#define NET_TCP    6u
#define NET_UDP    17u
#define NET_ICMPV6 58u

#define NET_MAC_BYTES 6u

/* Which packets, seen from this machine.  0 or family 0: any. */
struct net_flow {
	uint16_t ethertype;     /* with an address or protocol: 0, follows from the family */
	uint8_t  family;        /* 4 or 6, where no address says it; 0 with no address: IPv4 */
	uint8_t  protocol;      /* NET_TCP, ... */
	uint16_t local_port;    /* TCP, UDP; host order */
	uint16_t local_mask;    /* which bits of local_port count; 0: all 16 */
	uint16_t remote_port;
	uint16_t echo;          /* ICMP, ICMPv6: identifier of one's own echo requests; */
	                        /* receives the replies and sends the requests, no other ICMP */
	struct net_addr local, remote;
};

/*
 * The patterns of a flow, added to *spec (zero it first): receive has the local side as
 * destination, send as source.  mac: 6 bytes, the source address that sent packets must carry;
 * NULL: any.  0; -EXO_E_ARG if the fields contradict each other (families differ, ports without
 * TCP or UDP, echo without ICMP).
 */
int net_pattern_flow(struct exo_nic_spec *spec, const struct net_flow *flow, const uint8_t *mac);

/* Name bytes [at, at + bytes) of a pattern: mask NULL means all bits. at + bytes <= 128. */
void net_pattern_set(struct exo_pattern *pattern, uint32_t at, uint32_t bytes, const void *value,
		     const void *mask);

/* Does a packet match?  header: 128 readable bytes, zeros behind the packet's end. */
bool net_pattern_match(const struct exo_pattern *pattern, const void *header);

/*
 * In words, ended by NUL and cut if need be: what is recognised ("tcp to 10.0.2.15:80",
 * "arp", "udp from 10.0.2.15:68 by 52:54:00:12:34:56", "all packets"), and the rest as masked
 * bytes ("byte 12 = 08/ff").  send: the pattern is one for sent packets, whose source is local.
 * Returns the buffer.
 */
char *net_pattern_text(const struct exo_pattern *pattern, bool send, char *buffer, size_t bytes);

#endif
