/* SPDX-License-Identifier: MIT */
/*
 * page.c - what others see: the shared page, from lwIP's state.
 *
 * The page is made anew aside, compared, and written only if it differs, under its sequence number.
 * Its frame is init's, so that it outlives this program; what it counts goes on from there.
 *
 * Invariant: readers never see half a change; `generation` grows with each change of what programs
 * have bound themselves to (addresses, gateways, name servers).
 */
#include <base/format.h>
#include <base/string.h>
#include <exos/call.h>
#include <exos/space.h>
#include <exos/start.h>
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>

#include "lease.h"
#include "netcfg.h"

uint64_t page_calls, page_refusals;

static struct net_page *shared;
static struct net_page next;            /* as it should be */

static uint32_t link_now(void)
{
	return __atomic_load_n(&netcfg.info->flags, __ATOMIC_RELAXED) & EXO_NIC_LINK;
}

int page_start(void)
{
	const struct exos_grant *g = exos_grant("netcfg", 0);
	int error = -EXO_E_ABSENT;

	if (g)
		shared = exos_space_window(g->slot, g->lo, 1, EXO_R_READ | EXO_R_WRITE, &error);
	if (!shared)
		return error;
	if (shared->magic != NET_PAGE_MAGIC)
		memset(shared, 0, sizeof(*shared));
	if (shared->sequence & 1)       /* the one before us ended while it wrote */
		net_page_write_end(shared);
	next = *shared;
	next.magic = NET_PAGE_MAGIC;
	next.link = link_now();
	return 0;
}

/* How many leading ones a mask has. */
static uint8_t mask_bits(const ip4_addr_t *mask)
{
	uint32_t bits = lwip_ntohl(ip4_addr_get_u32(mask));
	uint8_t n = 0;

	for (; bits & 0x80000000u; bits <<= 1)
		n++;
	return n;
}

static void fill_ip4(void)
{
	struct net_page_address *a = &next.address[0];

	if (!address_own(4, &a->addr))
		return;
	a->prefix = mask_bits(netif_ip4_netmask(netcfg.netif));
	a->source = (uint8_t)address_source();
	next.addresses = 1;
	next.source = a->source;
	if (!ip4_addr_isany(netif_ip4_gw(netcfg.netif)))
		next.gateway4 = net_addr_from_lwip(netif_ip_gw4(netcfg.netif));
}

/* The entry of net.conf that an address stands in, or NULL. */
static const struct conf_address *conf_of(const struct net_addr *addr)
{
	for (uint32_t i = 0; i < netcfg.conf.ipv6s; i++)
		if (net_addr_equal(&netcfg.conf.ipv6[i].addr, addr))
			return &netcfg.conf.ipv6[i];
	return NULL;
}

static void fill_ip6(void)
{
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		const u8_t state = netif_ip6_addr_state(netcfg.netif, i);
		struct net_page_address *a = &next.address[next.addresses];
		const struct conf_address *c;

		if (!ip6_addr_isvalid(state) && !ip6_addr_istentative(state))
			continue;
		a->addr = net_addr_from_lwip(netif_ip_addr6(netcfg.netif, i));
		c = conf_of(&a->addr);
		a->prefix = c ? c->prefix : 64;
		a->source = c ? NET_FROM_FILE : i == 0 ? NET_FROM_LINK : NET_FROM_ROUTER;
		a->tentative = !ip6_addr_isvalid(state);
		next.addresses++;
	}
	for (int i = 0; i < LWIP_ND6_NUM_ROUTERS; i++) {
		const struct nd6_neighbor_cache_entry *e = default_router_list[i].neighbor_entry;
		ip_addr_t ip;

		if (e == NULL || next.gateway6.family)
			continue;
		ip_addr_copy_from_ip6(ip, e->next_hop_address);
		next.gateway6 = net_addr_from_lwip(&ip);
	}
}
_Static_assert(1 + LWIP_IPV6_NUM_ADDRESSES <= NET_PAGE_ADDRESSES, "the page has room for all");

/* Those of net.conf, or else what DHCP and routers said. */
static void fill_dns(void)
{
	uint32_t count = netcfg.conf.dnses;

	for (uint32_t i = 0; i < count; i++)
		next.dns[i] = netcfg.conf.dns[i];
	for (u8_t i = 0; netcfg.conf.dnses == 0 && i < DNS_MAX_SERVERS; i++) {
		const ip_addr_t *server = dns_getserver(i);

		if (!ip_addr_isany(server) && count < NET_PAGE_DNS)
			next.dns[count++] = net_addr_from_lwip(server);
	}
}
_Static_assert(CONF_DNS <= NET_PAGE_DNS, "the page has room for all");

static void fill_lease(void)
{
	const struct dhcp *d = netif_dhcp_data(netcfg.netif);

	next.lease_tsc = 0;
	if (d == NULL || next.source != NET_FROM_DHCP)
		return;
	next.dhcp_server = net_addr_from_lwip(&d->server_ip_addr);
	next.lease_s = d->offered_t0_lease == LEASE_FOR_EVER ? 0 : d->offered_t0_lease;
	next.lease_tsc = lease_begin();
}

static enum net_state state_now(void)
{
	if (netcfg.failed)
		return NET_STATE_FAILED;
	if (!netif_is_link_up(netcfg.netif))
		return NET_STATE_NO_LINK;
	return next.addresses > 0 && next.address[0].addr.family == 4 ? NET_STATE_READY
								      : NET_STATE_ASKING;
}

/* What a person should know, for each state it came to. */
static void fill_notice(void)
{
	const char *text = netcfg.failed ? netcfg.failed :
			   next.state == NET_STATE_NO_LINK ? "the cable is unplugged" :
			   next.state == NET_STATE_ASKING ? "there is no answer to DHCP yet" : "";

	memset(next.notice, 0, sizeof(next.notice));
	string_copy(next.notice, text, sizeof(next.notice));
}

static void fill_counters(void)
{
	const uint32_t link = link_now();

	next.link_changes += next.link != link;
	next.link = link;
	next.claims = claims_sweep();
	next.calls = page_calls;
	next.refusals = page_refusals;
}

/* All but what goes on from one time to the next. */
static void fill(void)
{
	memset(next.address, 0, sizeof(next.address));
	memset(next.neighbour, 0, sizeof(next.neighbour));
	memset(next.dns, 0, sizeof(next.dns));
	memset(&next.gateway4, 0, sizeof(next.gateway4));
	memset(&next.gateway6, 0, sizeof(next.gateway6));
	memset(&next.dhcp_server, 0, sizeof(next.dhcp_server));
	next.addresses = 0;
	next.source = NET_FROM_NOBODY;
	next.neighbours = next.lease_s = 0;
	next.nic = netcfg.unit;
	next.mtu = netcfg.netif->mtu;
	next.nic_flags = netcfg.info->flags;
	memcpy(next.mac, netcfg.info->mac, sizeof(next.mac));
	fill_ip4();
	fill_ip6();
	fill_dns();
	fill_lease();
	next.neighbours = neighbour_list(next.neighbour, NET_PAGE_NEIGHBOURS);
	fill_counters();
	next.state = (uint32_t)state_now();
	fill_notice();
}

static bool same_place(void)
{
	return next.addresses == shared->addresses &&
	       memcmp(next.address, shared->address, sizeof(next.address)) == 0 &&
	       net_addr_equal(&next.gateway4, &shared->gateway4) &&
	       net_addr_equal(&next.gateway6, &shared->gateway6) &&
	       memcmp(next.dns, shared->dns, sizeof(next.dns)) == 0;
}

void page_publish(void)
{
	bool told;

	fill();
	next.sequence = shared->sequence;
	next.generation = shared->generation + !same_place();
	if (memcmp(&next, shared, sizeof(next)) == 0)
		return;
	told = next.generation != shared->generation || next.state != shared->state;
	net_page_write_begin(shared);
	next.sequence = shared->sequence;       /* stays odd until the end */
	memcpy(shared, &next, sizeof(next));
	net_page_write_end(shared);
	if (told)
		exo_env_notify(exos_grant("parent", 0)->slot);
}
