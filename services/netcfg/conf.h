/* SPDX-License-Identifier: MIT */
/*
 * conf.h - static configuration: the text file net.conf.
 *
 *   address 10.0.2.15/24     an address with the prefix length of its network; IPv4 once, IPv6
 *   address fec0::15/64      CONF_IPV6 times
 *   gateway 10.0.2.2         the default router, IPv4, once (IPv6 routers announce themselves)
 *   dns     10.0.2.3         a name server, CONF_DNS times
 *
 * One setting a line; what follows # is a comment.  A family without an address is configured from
 * the network (DHCP; router advertisements).
 */
#ifndef NETCFG_CONF_H
#define NETCFG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <net/address.h>

#define CONF_IPV6   2u          /* IPv6 addresses at most */
#define CONF_DNS    4u          /* name servers at most */
#define CONF_BYTES  65536u      /* of the file, at most */

struct conf_address {
	struct net_addr addr;   /* family 0: none */
	uint8_t prefix;         /* length of the network's prefix, bits */
};

struct conf {
	struct conf_address ipv4;
	struct conf_address ipv6[CONF_IPV6];
	uint32_t ipv6s;
	struct net_addr gateway;
	struct net_addr dns[CONF_DNS];
	uint32_t dnses;
};

/*
 * Read the text (not NUL-terminated).  0, or -1 with the reason as a sentence that begins with the
 * line's number in why; *out is then all empty.
 */
int conf_parse(const char *text, size_t bytes, struct conf *out, char *why, size_t why_bytes);

#endif
