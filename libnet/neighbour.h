/* SPDX-License-Identifier: MIT */
/*
 * neighbour.h - link addresses for a program that does not resolve them itself.
 */
#ifndef LIBNET_NEIGHBOUR_H
#define LIBNET_NEIGHBOUR_H

#include <net/address.h>
#include <net/config.h>
#include <stdbool.h>
#include <stdint.h>

#define NEIGHBOURS 256u         /* a power of two */

/* What is known of one destination. */
struct neighbour {
	struct net_addr addr;
	uint8_t  mac[6];
	uint8_t  from_page;     /* 1: netcfg's word; 0: seen as a packet's sender */
	uint64_t until_ns;      /* not believed after this */
};

struct neighbours {
	const struct net_page *page;            /* netcfg's; NULL: learned ones only */
	struct net_page_address own[2];         /* of IPv4, of IPv6; family 0: none */
	struct net_addr gateway[2];
	uint64_t asked_ns;      /* when netcfg was last asked */
	struct neighbour entry[NEIGHBOURS];     /* by hash of the address */
};

/* Take over own addresses and gateways, and forget what netcfg said before. */
void neighbours_config(struct neighbours *n, const struct net_page *copy);

/* A packet from `addr` came with this link address. */
void neighbours_learn(struct neighbours *n, const struct net_addr *addr, const uint8_t mac[6],
		      uint64_t now_ns);

/*
 * Where to send what is for `addr`: true with *mac.  In this order: what netcfg lists for it (or
 * for the gateway, if it is not on the link), the sender of the last packet from there.
 */
bool neighbours_find(struct neighbours *n, const struct net_addr *addr, uint64_t now_ns,
		     uint8_t mac[6]);

/* The address that must be resolved to reach `addr`: itself or a gateway; family 0: no way. */
struct net_addr neighbours_hop(const struct neighbours *n, const struct net_addr *addr);

#endif
