/* SPDX-License-Identifier: MIT */
/*
 * stack_out.c - lwIP's output functions: the ring, and the link address, for each packet.
 *
 * The last packet of a ring is put on it when the next one does not belong to it, and at the latest
 * when the kernel is told.  Never waits: no room is ERR_MEM, and TCP tries again.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <exos/time.h>
#include <netif/ethernet.h>
#include <net/lwip.h>

/* The ring that may send what begins with these bytes, or NULL. */
static struct stack_ring *ring_choose(struct net_stack *stack, struct pbuf *packet)
{
	uint8_t header[EXO_NIC_HEADER];
	struct stack_ring *r = stack->rings;
	u16_t got;

	if (r && r->wide)
		return r;
	got = pbuf_copy_partial(packet, header, sizeof header, 0);
	memset(header + got, 0, sizeof header - got);
	while (r && !stack_ring_sends(r, header))
		r = r->next;
	return r;
}

/* No room: be told when there is some again. */
static err_t ring_full(struct stack_ring *ring)
{
	ring->stack->stats.full++;
	ring->full = true;
	__atomic_store_n(&ring->ring.page->tx_wake, 1, __ATOMIC_RELAXED);
	return ERR_MEM;
}

err_t stack_transmit(struct netif *netif, struct pbuf *packet)
{
	struct net_stack *stack = netif->state;
	struct stack_ring *ring = ring_choose(stack, packet);

	if (!ring) {
		stack->stats.no_ring++;
		return ERR_RTE;
	}
	if (stack_merge(ring, &ring->packet, packet))
		return ERR_OK;
	stack_packet_commit(ring, &ring->packet);
	stack_ring_reclaim(ring);
	if (!stack_packet_add(ring, &ring->packet, packet, 0))
		return ring_full(ring);
	stack_merge_begin(ring, &ring->packet, packet);
	return ERR_OK;
}

/* netcfg is asked for a link address that nobody knows, ten times a second at most. */
#define ASK_NS (100ul * 1000000)

static bool ask(struct net_stack *stack, const struct net_addr *to, uint8_t mac[6])
{
	struct net_addr hop = neighbours_hop(&stack->neighbours, to);
	uint64_t now = exos_ns();

	if (!stack->config.gate || !hop.family || now - stack->neighbours.asked_ns < ASK_NS)
		return false;
	stack->neighbours.asked_ns = now;
	stack->stats.gate_calls++;
	return net_resolve(stack->config.gate, &hop, mac) == 0;
}

static err_t output(struct net_stack *stack, struct pbuf *packet, const struct net_addr *to,
		    unsigned type)
{
	struct eth_addr mac;

	if (!neighbours_find(&stack->neighbours, to, exos_ns(), mac.addr) &&
	    !ask(stack, to, mac.addr)) {
		stack->stats.no_neighbour++;
		/* Dropped, as ARP does when it is still asking: TCP sends again. */
		return ERR_OK;
	}
	return ethernet_output(&stack->netif, packet, (struct eth_addr *)stack->netif.hwaddr, &mac,
			       (u16_t)type);
}

err_t stack_output4(struct netif *netif, struct pbuf *packet, const ip4_addr_t *to)
{
	struct net_addr addr = { .family = 4 };
	struct eth_addr group = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

	memcpy(addr.byte, to, 4);
	if (!ip4_addr_isbroadcast(to, netif) && !net_addr_multicast(&addr))
		return output(netif->state, packet, &addr, NET_ETHERTYPE_IPV4);
	/* RFC 1112 section 6.4. */
	if (!ip4_addr_isbroadcast(to, netif))
		group = (struct eth_addr){ { 0x01, 0x00, 0x5e, addr.byte[1] & 0x7f, addr.byte[2],
					     addr.byte[3] } };
	return ethernet_output(netif, packet, (struct eth_addr *)netif->hwaddr, &group,
			       NET_ETHERTYPE_IPV4);
}

err_t stack_output6(struct netif *netif, struct pbuf *packet, const ip6_addr_t *to)
{
	struct net_addr addr = { .family = 6 };
	struct eth_addr group = { { 0x33, 0x33 } };

	memcpy(addr.byte, to->addr, 16);
	if (!net_addr_multicast(&addr))
		return output(netif->state, packet, &addr, NET_ETHERTYPE_IPV6);
	/* RFC 2464 section 7. */
	memcpy(group.addr + 2, addr.byte + 12, 4);
	return ethernet_output(netif, packet, (struct eth_addr *)netif->hwaddr, &group,
			       NET_ETHERTYPE_IPV6);
}
