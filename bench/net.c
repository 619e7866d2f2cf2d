/* SPDX-License-Identifier: MIT */
/*
 * net.c - a program that answers the network by its own TCP/IP: UDP echo on port 7, a sink for TCP
 * on port 9 and a source on port 19 of 10.0.2.15.  bench/network_rows.py, at the other end, times
 * it.
 *
 * It serves for ever, one thread, by libnet's sockets.  linux/net.c does the same on Linux.
 */
#include <base/string.h>
#include <exo/machine.h>
#include <exos/console.h>
#include <exos/error.h>
#include <exos/start.h>
#include <lwip/netif.h>
#include <net/socket.h>

#include "bench.h"

enum { ECHO = 7, SINK = 9, SOURCE = 19, CONNS = 16, FIXED = 3 };
#define BYTES (64u << 10)
#define NOW   1                 /* deadline: do not wait */

static struct net_stack *stack;
static struct net_poll poll[FIXED + CONNS];     /* echo, sink, source, then connections */
static unsigned count = FIXED;
static uint8_t buffer[BYTES];

static int stack_start(void)
{
	const struct exos_grant *g = exos_grant("nic", 0);
	const struct exo_nic_info *info = exos_machine_at(exos_machine()->nics_off);
	struct net_stack_config config = { .full = true, .mtu = 1500 };
	ip4_addr_t address, mask, gateway;
	struct netif *netif;
	int error;

	if (!g)
		return -EXO_E_ABSENT;
	net_stack_offload(&config, info[g->unit].flags);
	for (unsigned i = 0; i < sizeof(config.mac); i++)
		config.mac[i] = info[g->unit].mac[i];
	if ((error = net_stack_create(&config, &stack)) < 0 ||
	    (error = net_stack_add(stack, g->slot, NULL, NET_STACK_FRAMES, NULL)) < 0)
		return error;
	netif = net_stack_netif(stack);
	IP4_ADDR(&address, 10, 0, 2, 15);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gateway, 0, 0, 0, 0);
	netif_set_addr(netif, &address, &mask, &gateway);
	netif_set_up(netif);
	netif_set_link_up(netif);
	return 0;
}

static int doors_open(void)
{
	int error;

	if ((error = net_udp(stack, 4, ECHO, &poll[0].socket)) < 0 ||
	    (error = net_listen(stack, SINK, 64, &poll[1].socket)) < 0 ||
	    (error = net_listen(stack, SOURCE, 64, &poll[2].socket)) < 0)
		return error;
	for (unsigned i = 0; i < FIXED; i++)
		poll[i].wanted = NET_POLL_IN;
	return 0;
}

static void echo(struct net_socket *socket)
{
	struct net_addr from;
	uint16_t port;
	int64_t got;

	while ((got = net_receive_from(socket, buffer, BYTES, &from, &port, NOW)) >= 0)
		net_send_to(socket, buffer, (size_t)got, &from, port);
}

/* Connections beyond CONNS wait in the listener's queue. */
static void take(struct net_socket *listener, uint32_t wanted)
{
	struct net_socket *s;

	while (count < FIXED + CONNS && net_accept(listener, NOW, &s) >= 0)
		poll[count++] = (struct net_poll){ .socket = s, .wanted = wanted };
}

/* Has the connection ended? */
static bool serve(struct net_poll *p)
{
	int64_t did;

	if (p->ready & NET_POLL_OUT)
		did = net_send(p->socket, buffer, BYTES, NOW);
	else
		while ((did = net_receive(p->socket, buffer, BYTES, NOW)) > 0)
			;
	return did == 0 || (did < 0 && did != -NET_E_TIMEOUT);
}

static void turn(void)
{
	if (poll[0].ready)
		echo(poll[0].socket);
	for (unsigned i = count; i > FIXED; i--)
		if (poll[i - 1].ready && serve(&poll[i - 1])) {
			net_close(poll[i - 1].socket);
			poll[i - 1] = poll[--count];
		}
	if (poll[1].ready)
		take(poll[1].socket, NET_POLL_IN);
	if (poll[2].ready)
		take(poll[2].socket, NET_POLL_OUT);
}

int main(int argc, char **argv)
{
	int error;

	(void)argc, (void)argv;
	bench_slots_take();
	error = stack_start();
	if (!error)
		error = doors_open();
	if (error) {
		printf("bench: network failed: error %d\n", -error);
		return 1;
	}
	printf("bench: network ready\n");
	for (;;)
		if (net_poll(stack, poll, count, 0) > 0)
			turn();
}
