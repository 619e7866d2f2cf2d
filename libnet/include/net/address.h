/* SPDX-License-Identifier: MIT */
/*
 * address.h - Internet addresses of both families in one small struct, and their text.
 *
 * Invariant: bytes are in network order; of an IPv4 address the first four count, the others are
 * 0; family 0 means "none" or "any", and all bytes are 0 then.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_addr {
	uint32_t family;        /* 4, 6, or 0 */
	uint8_t  byte[16];
};
_Static_assert(sizeof(struct net_addr) == 20, "shared layout: net_addr");

#define NET_ADDR_TEXT 48u       /* bytes that hold every address as text, NUL included */

static inline struct net_addr net_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct net_addr){ 4, { a, b, c, d } };
}

/* Bytes of an address of this family: 4, 16 or 0. */
static inline size_t net_addr_bytes(uint32_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);

/* Is it in the network of `net` with this prefix length (bits)?  Families must agree. */
bool net_addr_within(const struct net_addr *a, const struct net_addr *net, unsigned prefix);

/* 224.0.0.0/4, 255.255.255.255 or ff00::/8. */
bool net_addr_multicast(const struct net_addr *a);
/* 169.254.0.0/16 or fe80::/10. */
bool net_addr_link_local(const struct net_addr *a);

/*
 * Read an address at the start of a text: dotted decimal (four numbers) or RFC 4291 section 2.2
 * (no zone, no embedded dotted form).  0 with *end behind it (end may be NULL: then nothing may
 * follow); -1 if there is none.
 */
int net_addr_parse(const char *text, const char **end, struct net_addr *out);

/* Write it as text (IPv6: RFC 5952), ended by NUL; "any" for family 0. Returns buffer. */
char *net_addr_text(const struct net_addr *a, char buffer[NET_ADDR_TEXT]);

#endif
