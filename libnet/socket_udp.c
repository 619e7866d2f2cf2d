/* SPDX-License-Identifier: MIT */
/*
 * socket_udp.c - datagrams.
 *
 * Datagrams that do not fit a packet are refused: the claim on a port names "not a fragment".
 */
#include "socket_parts.h"

#include <base/util.h>

#define HEADERS4 28u            /* IPv4 and UDP */
#define HEADERS6 48u

static void on_datagram(void *argument, struct udp_pcb *pcb, struct pbuf *p,
			const ip_addr_t *from, u16_t port)
{
	struct net_socket *s = argument;
	struct net_addr addr = net_addr_from_lwip(from);

	(void)pcb;
	if (!socket_queue(s, p, &addr, port))
		pbuf_free(p);
}

static int udp_start(struct net_socket *s, uint32_t family)
{
	struct net_flow flow = { .protocol = NET_UDP, .family = (uint8_t)family,
				 .local_port = s->port };
	int err = socket_claim(s, 0, &flow, &s->port);
	err_t error;

	if (err < 0)
		return err;
	s->udp = udp_new_ip_type(family == 6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
	if (!s->udp)
		return -NET_E_NOMEM;
	error = udp_bind(s->udp, NULL, s->port);
	if (error != ERR_OK) {
		udp_remove(s->udp);
		return net_error_from_lwip(error);
	}
	udp_recv(s->udp, on_datagram, s);
	return 0;
}

int net_udp(struct net_stack *stack, uint32_t family, uint16_t port, struct net_socket **out)
{
	struct net_socket *s;
	int err;

	if (family != 4 && family != 6)
		return -EXO_E_ARG;
	s = socket_new(stack, SOCKET_UDP);
	if (!s)
		return -NET_E_NOMEM;
	s->port = port;
	err = udp_start(s, family);
	if (err < 0) {
		socket_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int64_t net_send_to(struct net_socket *s, const void *data, size_t bytes,
		    const struct net_addr *addr, uint16_t port)
{
	uint32_t headers = addr->family == 6 ? HEADERS6 : HEADERS4;
	ip_addr_t to;
	struct pbuf *p;
	err_t error;

	if (s->kind != SOCKET_UDP || !addr->family)
		return -EXO_E_ARG;
	if (bytes > s->stack->netif.mtu - headers)
		return -NET_E_TOO_LONG;
	p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes, PBUF_RAM);
	if (!p)
		return -NET_E_NOMEM;
	pbuf_take(p, data, (u16_t)bytes);
	net_addr_to_lwip(addr, &to);
	socket_resolve(s->stack, addr, 0);
	error = udp_sendto(s->udp, p, &to, port);
	pbuf_free(p);
	net_stack_flush(s->stack);
	return error == ERR_OK ? (int64_t)bytes : net_error_from_lwip(error);
}

int64_t net_receive_from(struct net_socket *s, void *buffer, size_t bytes,
			 struct net_addr *addr, uint16_t *port, uint64_t deadline_tsc)
{
	struct socket_item *item;
	int64_t got;

	if (s->kind != SOCKET_UDP)
		return -EXO_E_ARG;
	while (!s->items)
		if (!socket_wait(s->stack, deadline_tsc))
			return -NET_E_TIMEOUT;
	item = &s->item[s->first];
	got = pbuf_copy_partial(item->p, buffer, (u16_t)min_u64(bytes, UINT16_MAX), 0);
	if (addr)
		*addr = item->from;
	if (port)
		*port = item->port;
	socket_drop_first(s);
	return got;
}
