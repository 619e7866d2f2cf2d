/* SPDX-License-Identifier: MIT */
/*
 * address.c - our addresses: from net.conf, from DHCP, from router advertisements; and the link.
 *
 * Invariant: lwIP's link flag follows the NIC's, seen once a tick at the latest; the gateway's link
 * address is asked for before it grows old, since others send through it without asking.
 */
#include <base/util.h>
#include <exos/time.h>
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/netif.h>

#include "netcfg.h"

/* lwIP forgets what it has not heard of for five minutes (ARP_MAXAGE). */
#define GATEWAY_NS 60000000000ull

static uint64_t gateway_due;    /* time stamp at which the gateway is asked again */

static bool link_is_up(void)
{
	return __atomic_load_n(&netcfg.info->flags, __ATOMIC_RELAXED) & EXO_NIC_LINK;
}

static ip4_addr_t ip4_of(const struct net_addr *a)
{
	ip_addr_t ip;

	net_addr_to_lwip(a, &ip);
	return *ip_2_ip4(&ip);
}

static ip4_addr_t mask_of(unsigned prefix)
{
	ip4_addr_t mask;

	ip4_addr_set_u32(&mask, lwip_htonl(prefix ? ~0u << (32 - prefix) : 0));
	return mask;
}

static void ip4_start(void)
{
	const struct conf *c = &netcfg.conf;
	ip4_addr_t ip, mask, gateway = { 0 };

	if (c->ipv4.addr.family == 0) {
		if (dhcp_start(netcfg.netif) != ERR_OK)
			netcfg.failed = "there is no memory to ask by DHCP";
		return;
	}
	ip = ip4_of(&c->ipv4.addr);
	mask = mask_of(c->ipv4.prefix);
	if (c->gateway.family)
		gateway = ip4_of(&c->gateway);
	netif_set_addr(netcfg.netif, &ip, &mask, &gateway);
}

static void ip6_start(void)
{
	netif_create_ip6_linklocal_address(netcfg.netif, 1);
	netif_set_ip6_autoconfig_enabled(netcfg.netif, 1);
	for (uint32_t i = 0; i < netcfg.conf.ipv6s; i++) {
		ip_addr_t ip;

		net_addr_to_lwip(&netcfg.conf.ipv6[i].addr, &ip);
		netif_add_ip6_address(netcfg.netif, ip_2_ip6(&ip), NULL);
	}
}

static void link_follow(void)
{
	const bool up = link_is_up();

	if (up == (netif_is_link_up(netcfg.netif) != 0))
		return;
	gateway_due = 0;
	if (up)
		netif_set_link_up(netcfg.netif);        /* asks by DHCP anew, too */
	else
		netif_set_link_down(netcfg.netif);
}

int address_start(void)
{
	netif_set_hostname(netcfg.netif, "exo");
	netif_set_up(netcfg.netif);
	link_follow();
	ip6_start();
	ip4_start();
	return 0;
}

/* Ask for the gateway: at once while it is not known, and from time to time. */
static void gateway_keep(void)
{
	const ip4_addr_t *gateway = netif_ip4_gw(netcfg.netif), *ip;
	struct eth_addr *mac;

	if (ip4_addr_isany(gateway) || !netif_is_link_up(netcfg.netif))
		return;
	if (etharp_find_addr(netcfg.netif, gateway, &mac, &ip) < 0) {
		etharp_query(netcfg.netif, gateway, NULL);
	} else if (exos_tsc() >= gateway_due) {
		etharp_request(netcfg.netif, gateway);
		gateway_due = exos_deadline(GATEWAY_NS);
	}
}

void address_tick(void)
{
	link_follow();
	lease_tick();
	gateway_keep();
	claims_sweep();
}

static struct net_addr own_ip6(int index)
{
	return net_addr_from_lwip(netif_ip_addr6(netcfg.netif, index));
}

static bool own_ip6_usable(int index)
{
	return ip6_addr_isvalid(netif_ip6_addr_state(netcfg.netif, index));
}

static bool own_ip4(struct net_addr *out)
{
	if (ip4_addr_isany(netif_ip4_addr(netcfg.netif)))
		return false;
	*out = net_addr_from_lwip(netif_ip_addr4(netcfg.netif));
	return true;
}

bool address_own(uint32_t family, struct net_addr *out)
{
	bool found = false;

	if (family == 4)
		return own_ip4(out);
	/* Number 0 is the link-local one: it is taken if there is no other. */
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (!own_ip6_usable(i))
			continue;
		*out = own_ip6(i);
		found = true;
		if (i > 0)
			break;
	}
	return found;
}

bool address_is_own(const struct net_addr *addr)
{
	struct net_addr own;

	if (addr->family == 4)
		return own_ip4(&own) && net_addr_equal(&own, addr);
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		own = own_ip6(i);
		if (own_ip6_usable(i) && net_addr_equal(&own, addr))
			return true;
	}
	return false;
}

enum net_source address_source(void)
{
	return netcfg.conf.ipv4.addr.family ? NET_FROM_FILE : NET_FROM_DHCP;
}
