/* SPDX-License-Identifier: MIT */
/*
 * socket.c - what all sockets do: claims, queues, waiting, polling, closing.
 */
#include "socket_parts.h"

#include <exos/event.h>
#include <exos/heap.h>
#include <exos/time.h>

#define RESOLVE_NS (1000ul * 1000000)
#define RESOLVE_STEP_NS (20ul * 1000000)

struct net_socket *socket_new(struct net_stack *stack, enum socket_kind kind)
{
	struct net_socket *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->kind = kind;
	s->stack = stack;
	return s;
}

void socket_free(struct net_socket *s)
{
	while (s->items)
		socket_drop_first(s);
	for (unsigned i = 0; i < 2; i++)
		if (s->ring[i])
			net_stack_remove(s->stack, s->ring[i]);
	free(s);
}

int socket_claim(struct net_socket *s, unsigned index, struct net_flow *flow, uint16_t *port)
{
	struct net_claim claim;
	int err;

	if ((flow->local_port || flow->echo) && stack_ring_for(s->stack, flow)) {
		*port = flow->local_port ? flow->local_port : flow->echo;
		return 0;
	}
	err = net_stack_claim(s->stack, flow, NET_CLIENT_FRAMES, &s->ring[index], &claim);
	if (err >= 0)
		*port = claim.port;
	return err;
}

bool socket_queue(struct net_socket *s, struct pbuf *p, const struct net_addr *from,
		  uint16_t port)
{
	struct socket_item *item = &s->item[(s->first + s->items) % SOCKET_QUEUE];

	if (s->items == SOCKET_QUEUE)
		return false;
	item->p = p;
	item->port = port;
	item->from = from ? *from : (struct net_addr){ .family = 0 };
	s->items++;
	return true;
}

void socket_drop_first(struct net_socket *s)
{
	pbuf_free(s->item[s->first].p);
	s->first = (s->first + 1) % SOCKET_QUEUE;
	s->items--;
	s->offset = 0;
}

bool socket_wait(struct net_stack *stack, uint64_t deadline_tsc)
{
	if (deadline_tsc && exos_tsc() >= deadline_tsc)
		return net_stack_poll(stack) > 0;
	net_stack_run(stack, deadline_tsc);
	return true;
}

void socket_resolve(struct net_stack *stack, const struct net_addr *to, uint64_t deadline_tsc)
{
	uint64_t end = exos_deadline(RESOLVE_NS);
	struct net_addr hop = neighbours_hop(&stack->neighbours, to);
	uint8_t mac[6];

	if (stack->config.full || !stack->config.gate || !hop.family || net_addr_multicast(to))
		return;
	if (deadline_tsc && deadline_tsc < end)
		end = deadline_tsc;
	while (!neighbours_find(&stack->neighbours, to, exos_ns(), mac) && exos_tsc() < end) {
		stack->stats.gate_calls++;
		if (net_resolve(stack->config.gate, &hop, mac) == 0) {
			neighbours_learn(&stack->neighbours, to, mac, exos_ns());
			return;
		}
		net_stack_run(stack, exos_deadline(RESOLVE_STEP_NS));
	}
}

void net_close(struct net_socket *s)
{
	if (s->kind == SOCKET_TCP)
		socket_tcp_close(s);
	else if (s->kind == SOCKET_LISTENER)
		socket_listener_close(s);
	else if (s->kind == SOCKET_UDP)
		udp_remove(s->udp);
	else
		raw_remove(s->raw);
	socket_free(s);
}

static uint32_t socket_ready(const struct net_socket *s)
{
	uint32_t ready = 0;

	if (s->items || s->waiting || s->ended)
		ready |= NET_POLL_IN;
	if (s->kind == SOCKET_UDP || s->kind == SOCKET_ECHO)
		ready |= NET_POLL_OUT;
	if (s->kind == SOCKET_TCP && s->tcp && s->connected && !s->shut &&
	    tcp_sndbuf(s->tcp) >= TCP_SNDLOWAT && tcp_sndqueuelen(s->tcp) < TCP_SND_QUEUELEN)
		ready |= NET_POLL_OUT;
	if (s->error)
		ready |= NET_POLL_ERROR;
	return ready;
}

static int poll_once(struct net_poll *list, unsigned count)
{
	int found = 0;

	for (unsigned i = 0; i < count; i++) {
		list[i].ready = socket_ready(list[i].socket) & (list[i].wanted | NET_POLL_ERROR);
		found += list[i].ready != 0;
	}
	return found;
}

int net_poll(struct net_stack *stack, struct net_poll *list, unsigned count,
	     uint64_t deadline_tsc)
{
	int found;

	do {
		found = poll_once(list, count);
	} while (found == 0 && socket_wait(stack, deadline_tsc));
	return found;
}
