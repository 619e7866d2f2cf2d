/* SPDX-License-Identifier: MIT */
/*
 * net_config.c - what netcfg's page says: a copy of it, so that all lines are of one moment.
 */
#include <base/format.h>
#include <base/string.h>
#include <base/util.h>
#include <exos/console.h>
#include <exos/time.h>
#include <net/config.h>

#include "net.h"
#include "shell.h"

#define NS_A_SECOND 1000000000ull

static const char *state_text(uint32_t state)
{
	static const char *const text[] = {
		[NET_STATE_STARTING] = "netcfg is starting",
		[NET_STATE_NO_NIC] = "netcfg has no NIC",
		[NET_STATE_NO_LINK] = "the cable is out",
		[NET_STATE_ASKING] = "asking by DHCP, no answer yet",
		[NET_STATE_READY] = "ready",
		[NET_STATE_FAILED] = "not usable",
	};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

static const char *source_text(unsigned source)
{
	static const char *const text[] = {
		[NET_FROM_NOBODY] = "nobody", [NET_FROM_FILE] = "net.conf",
		[NET_FROM_DHCP] = "DHCP", [NET_FROM_ROUTER] = "router", [NET_FROM_LINK] = "link",
	};

	return source < ARRAY_LEN(text) ? text[source] : "?";
}

static void state_print(const struct net_page *page)
{
	printf("network: %s", state_text(page->state));
	if (page->state != NET_STATE_NO_NIC && page->state != NET_STATE_STARTING)
		printf(", on NIC %u, MTU %u", page->nic, page->mtu);
	printf("\n");
	if (page->notice[0] != '\0') {
		printf("  ");
		term_safe(page->notice, strnlen(page->notice, sizeof(page->notice)));
		printf("\n");
	}
}

static void addresses_print(const struct net_page *page)
{
	char text[NET_ADDR_TEXT];

	for (unsigned i = 0; i < min_u64(page->addresses, NET_PAGE_ADDRESSES); i++) {
		const struct net_page_address *a = &page->address[i];

		printf("  address %s/%u by %s%s\n", net_addr_text(&a->addr, text), a->prefix,
		       source_text(a->source), a->tentative ? ", not yet found to be unique" : "");
	}
}

/* A length of time, in hours, minutes or seconds. */
static void time_print(uint64_t seconds)
{
	if (seconds >= 7200)
		printf("%lu h", (unsigned long)(seconds / 3600));
	else if (seconds >= 120)
		printf("%lu min", (unsigned long)(seconds / 60));
	else
		printf("%lu s", (unsigned long)seconds);
}

static void lease_print(const struct net_page *page)
{
	char text[NET_ADDR_TEXT];

	if (page->dhcp_server.family == 0)
		return;
	printf("  lease of %s", net_addr_text(&page->dhcp_server, text));
	if (page->lease_s > 0) {
		printf(" for ");
		time_print(page->lease_s);
		printf(", ");
		time_print(exos_tsc_to_ns(exos_tsc() - page->lease_tsc) / NS_A_SECOND);
		printf(" ago");
	}
	printf("\n");
}

static void routes_print(const struct net_page *page)
{
	char text[NET_ADDR_TEXT];

	if (page->gateway4.family != 0)
		printf("  gateway %s\n", net_addr_text(&page->gateway4, text));
	if (page->gateway6.family != 0)
		printf("  gateway %s\n", net_addr_text(&page->gateway6, text));
	for (unsigned i = 0; i < NET_PAGE_DNS; i++)
		if (page->dns[i].family != 0)
			printf("  name server %s\n", net_addr_text(&page->dns[i], text));
}

static void neighbours_print(const struct net_page *page)
{
	char text[NET_ADDR_TEXT];

	for (unsigned i = 0; i < min_u64(page->neighbours, NET_PAGE_NEIGHBOURS); i++) {
		const struct net_page_neighbour *n = &page->neighbour[i];

		printf("  neighbour %s is at %02x:%02x:%02x:%02x:%02x:%02x%s%s\n",
		       net_addr_text(&n->addr, text), n->mac[0], n->mac[1], n->mac[2], n->mac[3],
		       n->mac[4], n->mac[5], n->router ? ", a router" : "",
		       n->fresh ? "" : ", to be confirmed");
	}
}

void net_config_print(void)
{
	static struct net_page page;
	const struct net_page *shared = net_page_granted();

	if (shared == NULL) {
		printf("network: there is no netcfg\n");
		return;
	}
	if (!net_page_read(shared, &page)) {
		printf("network: netcfg's page cannot be read; it may have died\n");
		return;
	}
	state_print(&page);
	addresses_print(&page);
	lease_print(&page);
	routes_print(&page);
	neighbours_print(&page);
	printf("  netcfg: %lu claims given out now, %lu calls, %lu refused; link changes %lu\n",
	       (unsigned long)page.claims, (unsigned long)page.calls,
	       (unsigned long)page.refusals, (unsigned long)page.link_changes);
}
