/* SPDX-License-Identifier: MIT */
/*
 * decode.h - a packet as one line of words, the way `tcpdump -n` says it.
 *
 * What comes in may be anything of any length: a header that is cut off or lies is named as such.
 */
#ifndef CAPTURE_DECODE_H
#define CAPTURE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"
#include "wire.h"

#define DECODE_LINE 256u        /* bytes that hold every line */

/* Numbers of the headers that are decoded (RFC 9542; IANA protocol numbers). */
#define ETHER_HEADER 14u
#define ETHER_IP4    0x0800u
#define ETHER_ARP    0x0806u
#define ETHER_VLAN   0x8100u
#define ETHER_IP6    0x86ddu
#define PROTO_ICMP   1u
#define PROTO_TCP    6u
#define PROTO_UDP    17u
#define PROTO_ICMP6  58u

/* An Ethernet frame of `length` bytes, of which `bytes` were captured; the line ends with NUL. */
void decode_line(const void *packet, uint32_t bytes, uint32_t length, char *line, size_t room);

/* decode_ip.c: what follows the Ethernet header. */
void decode_ip4(struct text *t, const struct wire *w);
void decode_ip6(struct text *t, const struct wire *w);

/*
 * decode_transport.c: `w` is what an IP packet carries; addresses as text_ip4 or text_ip6 take
 * them.
 */
struct decode_ends {
	const uint8_t *from, *to;
	void (*text)(struct text *t, const uint8_t *address);
};
void decode_ends(struct text *t, const struct decode_ends *ends, const uint8_t *ports);
void decode_tcp(struct text *t, const struct wire *w, const struct decode_ends *ends);
void decode_udp(struct text *t, const struct wire *w, const struct decode_ends *ends);
void decode_icmp(struct text *t, const struct wire *w, const struct decode_ends *ends);
void decode_icmp6(struct text *t, const struct wire *w, const struct decode_ends *ends);

#endif
