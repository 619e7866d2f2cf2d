/* SPDX-License-Identifier: MIT */
/*
 * stack.c - the one stack of the program: its start, its turns, its end.
 *
 * A turn: look at netcfg's page, run due timers, take packets, let TCP go on where a full ring had
 * stopped it, and tell the kernel once of all that was put on the rings.
 */
#include "stack_parts.h"

#include <base/string.h>
#include <exos/event.h>
#include <exos/start.h>
#include <exos/time.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include "lwip/timers.h"

#define TURN_PACKETS 64u        /* taken from a ring in one turn, so that timers and others run */
#define NO_ADDRESS_NS (250ul * 1000000) /* how long to sleep while netcfg has no address */

static struct net_stack the_stack;
static bool started;            /* lwip_init was called: it can be but once */
static bool in_use;

int net_stack_granted(struct net_stack_config *config)
{
	const struct exos_grant *gate = exos_grant("net-gate", 0);

	memset(config, 0, sizeof *config);
	config->page = net_page_granted();
	if (!config->page)
		return -NET_E_NO_NETWORK;
	config->gate = gate ? gate->slot : 0;
	net_stack_offload(config, config->page->nic_flags);
	return 0;
}

void net_stack_offload(struct net_stack_config *config, uint64_t nic_flags)
{
	config->checksum = nic_flags & EXO_NIC_CHECKSUM;
	/* A card that cuts a packet sums the segments as well. */
	config->segment4 = config->checksum && nic_flags & EXO_NIC_SEGMENT4;
	config->segment6 = config->checksum && nic_flags & EXO_NIC_SEGMENT6;
}

/* lwIP calls it to fill in its interface. */
static err_t netif_start(struct netif *netif)
{
	struct net_stack *stack = netif->state;

	netif->name[0] = 'n';
	netif->name[1] = 'c';
	netif->mtu = stack->config.mtu ? stack->config.mtu : 1500;
	netif->hwaddr_len = NET_MAC_BYTES;
	memcpy(netif->hwaddr, stack->config.mac, NET_MAC_BYTES);
	netif->flags = NETIF_FLAG_BROADCAST;
	netif->linkoutput = stack_transmit;
	if (stack->config.full) {
		netif->flags |= NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
		netif->output = etharp_output;
		netif->output_ip6 = ethip6_output;
	} else {
		netif->output = stack_output4;
		netif->output_ip6 = stack_output6;
	}
	if (stack->config.checksum)
		NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_ENABLE_ALL & ~NETIF_CHECKSUM_GEN_TCP);
	return ERR_OK;
}

int net_stack_create(const struct net_stack_config *config, struct net_stack **out)
{
	struct net_stack *stack = &the_stack;

	if (in_use)
		return -EXO_E_BUSY;
	if (config->full == (config->page != NULL))
		return -EXO_E_ARG;
	memset(stack, 0, sizeof *stack);
	stack->config = *config;
	stack->neighbours.page = config->page;
	if (!started)
		lwip_init();
	started = true;
	if (!netif_add_noaddr(&stack->netif, stack, netif_start, ip_input))
		return -NET_E_NOMEM;
	in_use = true;
	timers_start(config->full);
	netif_set_default(&stack->netif);
	if (!config->full) {
		netif_set_up(&stack->netif);
		netif_set_link_up(&stack->netif);
		stack_page_look(stack);
	}
	*out = stack;
	return 0;
}

void net_stack_end(struct net_stack *stack)
{
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	net_stack_flush(stack);
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	while (tcp_listen_pcbs.pcbs)
		tcp_close(tcp_listen_pcbs.pcbs);
	while (udp_pcbs)
		udp_remove(udp_pcbs);
	while (stack->rings)
		net_stack_remove(stack, stack->rings->number);
	netif_remove(&stack->netif);
	in_use = false;
}

void net_stack_flush(struct net_stack *stack)
{
	for (struct stack_ring *r = stack->rings; r; r = r->next) {
		stack_packet_commit(r, &r->packet);
		if (r->ring.page->tx_tail == r->ring.tx_put)
			continue;
		net_ring_flush(&r->ring);
		stack->stats.kicks++;
	}
}

/* Rings that were full are half empty again: TCP may go on. */
static void room_again(struct net_stack *stack)
{
	bool any = false;

	for (struct stack_ring *r = stack->rings; r; r = r->next) {
		stack_ring_reclaim(r);
		if (!r->full || r->ring.tx_put - r->freed > EXO_PACKETS / 2 ||
		    r->send_used > r->send_bytes / 2)
			continue;
		r->full = false;
		__atomic_store_n(&r->ring.page->tx_wake, 0, __ATOMIC_RELAXED);
		any = true;
	}
	for (struct tcp_pcb *pcb = any ? tcp_active_pcbs : NULL; pcb; pcb = pcb->next)
		tcp_output(pcb);
}

/* The first ring behind this number; rings are in the order of their numbers. */
static struct stack_ring *ring_behind(struct net_stack *stack, uint32_t number)
{
	struct stack_ring *r = stack->rings;

	while (r && r->number <= number)
		r = r->next;
	return r;
}

static unsigned receive_all(struct net_stack *stack)
{
	uint32_t last = stack->numbers, number = 0;
	struct stack_ring *r;
	unsigned taken = 0;

	/* By number, since a callback may add and remove rings. */
	while (number < last && (r = ring_behind(stack, number)) != NULL) {
		number = r->number;
		taken += stack_receive(stack, r, TURN_PACKETS);
	}
	return taken;
}

unsigned net_stack_poll(struct net_stack *stack)
{
	unsigned taken;

	stack_page_look(stack);
	sys_check_timeouts();
	stack_acknowledge();
	taken = receive_all(stack);
	room_again(stack);
	net_stack_flush(stack);
	return taken;
}

uint64_t net_stack_next(struct net_stack *stack)
{
	uint32_t sleep = sys_timeouts_sleeptime();
	uint64_t next = 0, owed = stack_acknowledge_next();

	if (sleep != SYS_TIMEOUTS_SLEEPTIME_INFINITE)
		next = exos_deadline((uint64_t)sleep * 1000000);
	if (!stack->config.full && !stack->has_address) {
		uint64_t look = exos_deadline(NO_ADDRESS_NS);

		next = next && next < look ? next : look;
	}
	if (owed && (!next || owed < next))
		next = owed;
	return next;
}

unsigned net_stack_run(struct net_stack *stack, uint64_t deadline_tsc)
{
	uint64_t next;
	unsigned taken;

	exos_event_dispatch();
	taken = net_stack_poll(stack);
	if (taken > 0)
		return taken;
	next = net_stack_next(stack);
	if (deadline_tsc && (!next || deadline_tsc < next))
		next = deadline_tsc;
	stack->stats.waits++;
	exos_event_run(next);
	return net_stack_poll(stack);
}

struct netif *net_stack_netif(struct net_stack *stack)
{
	return &stack->netif;
}

const struct net_page *net_stack_page(const struct net_stack *stack)
{
	return stack->config.page;
}

exo_slot net_stack_gate(const struct net_stack *stack)
{
	return stack->config.gate;
}

void net_stack_stats(const struct net_stack *stack, struct net_stack_stats *out)
{
	*out = stack->stats;
	for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
		out->connections++;
	for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
		out->time_wait++;
	for (const struct stack_ring *r = stack->rings; r; r = r->next) {
		out->held += r->held;
		out->unsent += r->ring.tx_put - net_ring_done(&r->ring);
	}
	out->segments = memp_pools[MEMP_TCP_SEG]->stats->used;
}
