/* SPDX-License-Identifier: MIT */
/*
 * socket_listen.c - listening and accepting.
 *
 * A connection that is established waits in the listener's list, with what it received; it counts
 * against the backlog until it is accepted.
 */
#include "socket_parts.h"

#include <net/config.h>

static err_t on_accept(void *argument, struct tcp_pcb *pcb, err_t error)
{
	struct net_socket *listener = argument, *s, **at;

	if (error != ERR_OK || !pcb)
		return ERR_VAL;
	s = socket_new(listener->stack, SOCKET_TCP);
	if (!s)
		return ERR_MEM;
	s->connected = true;
	socket_tcp_adopt(s, pcb);
	tcp_backlog_delayed(pcb);
	for (at = &listener->waiting; *at; at = &(*at)->next)
		;
	*at = s;
	return ERR_OK;
}

/* Claims for IPv4 and, where there is an address of it, IPv6. */
static int listen_claim(struct net_socket *s, uint16_t port)
{
	struct net_flow flow = { .protocol = NET_TCP, .family = 4, .local_port = port };
	int err = socket_claim(s, 0, &flow, &port);

	if (err < 0 || !net_page_address(&s->stack->copy, 6))
		return err;
	flow.family = 6;
	socket_claim(s, 1, &flow, &port);
	return 0;
}

static int listen_start(struct net_socket *s, unsigned backlog)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listening;
	err_t error;

	if (!pcb)
		return -NET_E_NOMEM;
	ip_set_option(pcb, SOF_REUSEADDR);
	error = tcp_bind(pcb, IP_ANY_TYPE, s->port);
	if (error != ERR_OK) {
		tcp_abort(pcb);
		return net_error_from_lwip(error);
	}
	listening = tcp_listen_with_backlog(pcb, (u8_t)backlog);
	if (!listening) {
		tcp_abort(pcb);
		return -NET_E_NOMEM;
	}
	s->tcp = listening;
	tcp_arg(listening, s);
	tcp_accept(listening, on_accept);
	return 0;
}

int net_listen(struct net_stack *stack, uint16_t port, unsigned backlog, struct net_socket **out)
{
	struct net_socket *s;
	int err;

	if (port == 0 || backlog == 0 || backlog > 255)
		return -EXO_E_ARG;
	s = socket_new(stack, SOCKET_LISTENER);
	if (!s)
		return -NET_E_NOMEM;
	s->port = port;
	err = listen_claim(s, port);
	if (err >= 0)
		err = listen_start(s, backlog);
	if (err < 0) {
		socket_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int net_accept(struct net_socket *listener, uint64_t deadline_tsc, struct net_socket **out)
{
	struct net_socket *s;

	if (listener->kind != SOCKET_LISTENER)
		return -EXO_E_ARG;
	while (!listener->waiting)
		if (!socket_wait(listener->stack, deadline_tsc))
			return -NET_E_TIMEOUT;
	s = listener->waiting;
	listener->waiting = s->next;
	s->next = NULL;
	if (s->pcb)
		tcp_backlog_accepted(s->tcp);
	*out = s;
	return 0;
}

void socket_listener_close(struct net_socket *s)
{
	while (s->waiting) {
		struct net_socket *first = s->waiting;

		s->waiting = first->next;
		net_abort(first);
	}
	tcp_close(s->tcp);
}
