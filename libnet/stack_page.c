/* SPDX-License-Identifier: MIT */
/*
 * stack_page.c - netcfg's page made the interface's addresses.
 *
 * When an address goes, lwIP ends the connections that used it.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <lwip/ip.h>
#include <lwip/ip6.h>
#include <net/lwip.h>

static void mask_of(unsigned prefix, ip4_addr_t *mask)
{
	uint32_t bits = prefix == 0 ? 0 : prefix >= 32 ? UINT32_MAX : UINT32_MAX << (32 - prefix);

	ip4_addr_set_u32(mask, lwip_htonl(bits));
}

static void set_v4(struct net_stack *stack, const struct net_page *copy)
{
	const struct net_page_address *own = net_page_address(copy, 4);
	ip4_addr_t addr = { 0 }, mask = { 0 }, gateway = { 0 };

	if (own) {
		memcpy(&addr, own->addr.byte, 4);
		mask_of(own->prefix, &mask);
	}
	if (copy->gateway4.family)
		memcpy(&gateway, copy->gateway4.byte, 4);
	netif_set_addr(&stack->netif, &addr, &mask, &gateway);
}

static void set_v6(struct net_stack *stack, const struct net_page *copy)
{
	s8_t n = 0;

	for (uint32_t i = 0; i < copy->addresses; i++) {
		const struct net_page_address *own = &copy->address[i];
		ip6_addr_t addr;

		if (own->addr.family != 6 || own->tentative || n == LWIP_IPV6_NUM_ADDRESSES)
			continue;
		memset(&addr, 0, sizeof addr);
		memcpy(addr.addr, own->addr.byte, 16);
		netif_ip6_addr_set(&stack->netif, n, &addr);
		netif_ip6_addr_set_state(&stack->netif, n++, IP6_ADDR_PREFERRED);
	}
	for (; n < LWIP_IPV6_NUM_ADDRESSES; n++)
		netif_ip6_addr_set_state(&stack->netif, n, IP6_ADDR_INVALID);
}

void stack_page_look(struct net_stack *stack)
{
	const struct net_page *page = stack->config.page;
	struct net_page *copy = &stack->copy;

	if (!page || (stack->has_page && stack->generation ==
		      __atomic_load_n(&page->generation, __ATOMIC_ACQUIRE)))
		return;
	if (!net_page_read(page, copy))
		return;
	stack->has_page = true;
	stack->generation = copy->generation;
	stack->has_address = copy->addresses > 0;
	memcpy(stack->netif.hwaddr, copy->mac, NET_MAC_BYTES);
	if (copy->mtu >= 576 && copy->mtu <= 1500)
		stack->netif.mtu = stack->netif.mtu6 = (u16_t)copy->mtu;
	neighbours_config(&stack->neighbours, copy);
	set_v4(stack, copy);
	set_v6(stack, copy);
}
