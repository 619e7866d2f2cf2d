/* SPDX-License-Identifier: MIT */
/*
 * neighbour.c - link addresses: what lwIP's ARP and neighbour discovery have found.
 *
 * lwIP shows its ND table only through its private header; it is read here and nowhere else.
 */
#include <base/string.h>
#include <lwip/etharp.h>
#include <lwip/nd6.h>
#include <lwip/priv/nd6_priv.h>
#include <net/error.h>

#include "netcfg.h"

static struct net_addr addr_of_ip4(const ip4_addr_t *ip)
{
	ip_addr_t a;

	ip_addr_copy_from_ip4(a, *ip);
	return net_addr_from_lwip(&a);
}

static struct net_addr addr_of_ip6(const ip6_addr_t *ip)
{
	ip_addr_t a;

	ip_addr_copy_from_ip6(a, *ip);
	return net_addr_from_lwip(&a);
}

/* What is not on our network is reached through the gateway. */
static const ip4_addr_t *next_hop(const ip4_addr_t *to)
{
	const struct netif *n = netcfg.netif;

	if (ip4_addr_netcmp(to, netif_ip4_addr(n), netif_ip4_netmask(n)) ||
	    ip4_addr_islinklocal(to))
		return to;
	return ip4_addr_isany(netif_ip4_gw(n)) ? NULL : netif_ip4_gw(n);
}

static int resolve_ip4(const ip4_addr_t *to, uint8_t mac[6])
{
	const ip4_addr_t *hop, *ip;
	struct eth_addr *found;

	if (ip4_addr_isany(netif_ip4_addr(netcfg.netif)))
		return NET_E_NO_ADDRESS;
	if ((hop = next_hop(to)) == NULL || ip4_addr_ismulticast(to))
		return NET_E_UNREACHABLE;
	if (etharp_find_addr(netcfg.netif, hop, &found, &ip) < 0) {
		etharp_query(netcfg.netif, hop, NULL);
		return NET_E_RESOLVING;
	}
	memcpy(mac, found->addr, 6);
	return 0;
}

static int resolve_ip6(const ip6_addr_t *to, uint8_t mac[6])
{
	ip6_addr_t hop = *to;
	const u8_t *found = NULL;
	err_t error;

	if (ip6_addr_ismulticast(to))
		return NET_E_UNREACHABLE;
	ip6_addr_assign_zone(&hop, IP6_UNICAST, netcfg.netif);
	/* No packet to queue: it only looks, and asks for what it does not find. */
	error = nd6_get_next_hop_addr_or_queue(netcfg.netif, NULL, &hop, &found);
	if (error == ERR_OK && found != NULL) {
		memcpy(mac, found, 6);
		return 0;
	}
	return error == ERR_RTE ? NET_E_UNREACHABLE : NET_E_RESOLVING;
}

int neighbour_resolve(const struct net_addr *to, uint8_t mac[6])
{
	ip_addr_t ip;
	int error;

	if (!netif_is_link_up(netcfg.netif))
		return NET_E_NO_NETWORK;
	net_addr_to_lwip(to, &ip);
	error = IP_IS_V6(&ip) ? resolve_ip6(ip_2_ip6(&ip), mac) : resolve_ip4(ip_2_ip4(&ip), mac);
	net_stack_flush(netcfg.stack);
	return error;
}

static bool list_ip4(size_t i, struct net_page_neighbour *out)
{
	ip4_addr_t *ip;
	struct netif *netif;
	struct eth_addr *mac;

	if (!etharp_get_entry(i, &ip, &netif, &mac))
		return false;
	out->addr = addr_of_ip4(ip);
	memcpy(out->mac, mac->addr, sizeof(out->mac));
	out->fresh = 1;
	out->router = ip4_addr_cmp(ip, netif_ip4_gw(netcfg.netif));
	return true;
}

static bool list_ip6(size_t i, struct net_page_neighbour *out)
{
	const struct nd6_neighbor_cache_entry *e = &neighbor_cache[i];

	if (e->state < ND6_REACHABLE)
		return false;
	out->addr = addr_of_ip6(&e->next_hop_address);
	memcpy(out->mac, e->lladdr, sizeof(out->mac));
	out->fresh = e->state == ND6_REACHABLE;
	out->router = e->isrouter != 0;
	return true;
}

uint32_t neighbour_list(struct net_page_neighbour *out, uint32_t room)
{
	uint32_t count = 0;

	for (size_t i = 0; i < ARP_TABLE_SIZE && count < room; i++)
		count += list_ip4(i, &out[count]);
	for (size_t i = 0; i < LWIP_ND6_NUM_NEIGHBORS && count < room; i++)
		count += list_ip6(i, &out[count]);
	return count;
}
