/* SPDX-License-Identifier: MIT */
/*
 * netcfg.h - what the files of the network service share.
 *
 * netcfg holds the claim on all packets of one NIC.  It runs lwIP on what nobody else claimed: ARP,
 * neighbour discovery, DHCP, ping; narrows claims for others; and shows what it knows in a page.
 * One thread; gate calls enter only while it waits, so that nothing here runs twice at once.
 */
#ifndef NETCFG_NETCFG_H
#define NETCFG_NETCFG_H

#include <stdbool.h>
#include <stdint.h>

#include <net/config.h>
#include <net/lwip.h>
#include <net/stack.h>

#include "book.h"
#include "conf.h"

struct netcfg {
	const struct exo_nic_info *info;        /* exported: MAC, link */
	exo_slot nic;                           /* all packets of it */
	uint32_t unit;                          /* its index */
	struct conf conf;
	struct net_stack *stack;
	struct netif *netif;
	const char *failed;                     /* why there will be no network, or NULL */
};
extern struct netcfg netcfg;

/* claims.c: claims narrowed for callers. */
void claims_start(void);
/* 0 with the flow's open fields chosen, or an error number (net_error or exo_error). */
int claims_get(uint32_t client, struct net_flow *flow, bool share, exo_slot *claim,
	       uint32_t *number);
/* A number that stands for nothing, maybe any more, is no error. */
void claims_release(uint32_t client, uint32_t number);
/* Take back those on addresses that are gone, and those nobody holds; how many stay. */
uint32_t claims_sweep(void);
bool claims_has_port(uint8_t family, uint8_t protocol, uint16_t port);

/* address.c: our addresses, and the link: how they come and go. */
int  address_start(void);
void address_tick(void);
/* Ours of this family that others can use (IPv6: rather a routed one); false: none. */
bool address_own(uint32_t family, struct net_addr *out);
bool address_is_own(const struct net_addr *addr);
enum net_source address_source(void);   /* of the IPv4 address */

/* lease.c: ask for the lease again in time. */
void lease_tick(void);
uint64_t lease_begin(void);     /* time stamp at which the lease was given; 0: there is none */

/* neighbour.c: 0 and the link address on the way to `to`; else an error number, and it is asked. */
int neighbour_resolve(const struct net_addr *to, uint8_t mac[6]);
/* The neighbours known now; how many of `room`. */
uint32_t neighbour_list(struct net_page_neighbour *out, uint32_t room);

/* page.c: what others see. */
int  page_start(void);
/* Show what has changed since the last time; tells init of what programs must act on. */
void page_publish(void);
extern uint64_t page_calls, page_refusals;      /* counted by gate.c */

/* gate.c: make the gates and give them to whoever started us. 0 or -EXO_E_*. */
int gate_start(void);

/* stray.c: drop packets for claimed ports that their claims cannot match. */
void stray_start(void);

#endif
