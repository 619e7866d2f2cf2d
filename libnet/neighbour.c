/* SPDX-License-Identifier: MIT */
/*
 * neighbour.c - link addresses: a table by hash, filled from netcfg's page and from what comes in.
 *
 * Invariant: an entry from the page is never replaced by a sender's word while it is believed.
 */
#include "neighbour.h"

#include <base/string.h>

#define PAGE_NS   (5ul * 1000000000)    /* the page is asked anew after this */
#define SENDER_NS (60ul * 1000000000)   /* a sender's word counts this long */

static unsigned family_index(uint32_t family)
{
	return family == 6;
}

static struct neighbour *entry_of(struct neighbours *n, const struct net_addr *addr)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < net_addr_bytes(addr->family); i++)
		hash = hash * 31 + addr->byte[i];
	return &n->entry[(hash ^ hash >> 8) % NEIGHBOURS];
}

void neighbours_config(struct neighbours *n, const struct net_page *copy)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct net_page_address *own = net_page_address(copy, i ? 6 : 4);

		n->own[i] = own ? *own : (struct net_page_address){ .prefix = 0 };
	}
	n->gateway[0] = copy->gateway4;
	n->gateway[1] = copy->gateway6;
	for (unsigned i = 0; i < NEIGHBOURS; i++)
		if (n->entry[i].from_page)
			memset(&n->entry[i], 0, sizeof n->entry[i]);
}

static void entry_set(struct neighbour *e, const struct net_addr *addr, const uint8_t mac[6],
		      bool from_page, uint64_t until_ns)
{
	e->addr = *addr;
	memcpy(e->mac, mac, 6);
	e->from_page = from_page;
	e->until_ns = until_ns;
}

void neighbours_learn(struct neighbours *n, const struct net_addr *addr, const uint8_t mac[6],
		      uint64_t now_ns)
{
	struct neighbour *e = entry_of(n, addr);

	/* A group's link address is nobody's. */
	if (mac[0] & 1)
		return;
	if (e->from_page && now_ns < e->until_ns && net_addr_equal(&e->addr, addr))
		return;
	entry_set(e, addr, mac, false, now_ns + SENDER_NS);
}

struct net_addr neighbours_hop(const struct neighbours *n, const struct net_addr *addr)
{
	unsigned i = family_index(addr->family);
	const struct net_page_address *own = &n->own[i];

	if (net_addr_link_local(addr) ||
	    (own->addr.family && net_addr_within(addr, &own->addr, own->prefix)))
		return *addr;
	return n->gateway[i];
}

bool neighbours_find(struct neighbours *n, const struct net_addr *addr, uint64_t now_ns,
		     uint8_t mac[6])
{
	struct neighbour *e = entry_of(n, addr);
	bool known = now_ns < e->until_ns && net_addr_equal(&e->addr, addr);
	struct net_addr hop;

	if (!known || !e->from_page) {
		hop = neighbours_hop(n, addr);
		if (n->page && hop.family && net_page_neighbour(n->page, &hop, mac)) {
			entry_set(e, addr, mac, true, now_ns + PAGE_NS);
			return true;
		}
	}
	if (known)
		memcpy(mac, e->mac, 6);
	return known;
}
